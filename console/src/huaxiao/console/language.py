"""Which language a page speaks: Chinese, or English for those who ask for it."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

LANGUAGE_COOKIE = "huaxiao_language"
CHINESE, ENGLISH = "zh-CN", "en"
_ASKED = {"zh": CHINESE, "zh-CN": CHINESE, "en": ENGLISH}
_current: ContextVar[str] = ContextVar("language", default=CHINESE)


def chosen(asked: str | None, kept: str | None) -> str:
    """Return the language of a page: what its address asks for, else the cookie's, else Chinese."""
    return _ASKED.get(asked or "") or _ASKED.get(kept or "") or CHINESE


def speak(language: str) -> None:
    """Let what this task asks of services be answered in a language."""
    _current.set(language)


def spoken() -> str:
    """Return the language of this task's page."""
    return _current.get()


@dataclass(frozen=True, slots=True)
class Words:
    """Picks what is said in the page's language; in templates ``t``."""

    language: str

    @property
    def chinese(self) -> bool:
        """Whether the page is in Chinese."""
        return self.language == CHINESE

    def __call__(self, chinese: str, english: str) -> str:
        """Return one of two ways to say the same."""
        return chinese if self.chinese else english

    def of(self, thing: Any, name: str) -> str:
        """Return a member that comes as ``name`` in English and ``name_zh`` in Chinese."""
        said = getattr(thing, f"{name}_zh" if self.chinese else name)
        return str(said)
