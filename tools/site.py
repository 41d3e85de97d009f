"""Build the site of the documents into build/site, strictly: ``python tools/site.py``.

Documents stand where they are read on their own: README and docs, and beside what they are about. So
they are gathered first, each at its own place, so that links hold; what a link leads to beside them is
gathered too.
"""

import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGES = PROJECT / "build" / "pages"
SITE = PROJECT / "build" / "site"
_DOCUMENTS = ("*.md", "docs/**/*.md", "deploy/*.md", "clients/*/*.md")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]+)?\)")
_SHOWN = {".png", ".svg", ".csv", ".toml", ".json", ".yml", ".yaml", ""}
"""What is gathered beside documents: pictures and examples; LICENSE has no suffix."""


def documents() -> list[Path]:
    """Return every document of the site."""
    return sorted(path for pattern in _DOCUMENTS for path in PROJECT.glob(pattern))


def gather() -> None:
    """Copy the documents and the files that they link to, each at its own place.

    What is read in the repository only, such as a folder, is named without a link.
    """
    shutil.rmtree(PAGES, ignore_errors=True)
    for document in documents():
        gathered = partial(_gathered, document.parent)
        _place(document).write_text(_LINK.sub(gathered, document.read_text()))


def _gathered(at: Path, link: re.Match[str]) -> str:
    text, target, _ = link.groups()
    found = (at / target).resolve()
    if "://" in target or found.suffix == ".md":
        return link.group()
    if found.is_file() and found.suffix in _SHOWN:
        shutil.copyfile(found, _place(found))
        return link.group()
    return str(text)


def _place(path: Path) -> Path:
    there = PAGES / path.relative_to(PROJECT)
    there.parent.mkdir(parents=True, exist_ok=True)
    return there


def main() -> int:
    """Build; return the exit code of the builder."""
    gather()
    builder = Path(sys.executable).with_name("zensical")
    return subprocess.run(
        [builder, "build", "--clean", "--strict"], cwd=PROJECT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
