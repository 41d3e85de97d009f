"""Personal data as it is shown: enough to tell two apart, too little to know who it is.

What is masked already stays as it is, so that a value may pass here more than once.

By the name under which a value stands, and, wherever it stands, by its form: a mobile number and an
identity number are masked in free text, in a path and in a query as well.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from huaxiao.shared.addresses import VILLAGE_DIGITS

ERASED = "***"
"""What stands where a text was erased."""
_HIDDEN = "***"
_END = 4
_MASKED = re.compile(r"\*{3}.{0,4}|1[3-9][0-9]\*{4}[0-9]{4}|\*{14}[0-9]{3}[0-9Xx]")
_AFTER_A_TENTH = re.compile(r"(\.[0-9]).*")
_PHONE_FORM = re.compile(r"(?<![0-9])(1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9])")
_IDENTITY_FORM = re.compile(r"(?<![0-9])[1-9][0-9]{13}([0-9]{3}[0-9Xx])(?![0-9A-Za-z])")


def masked(value: Any, name: str = "") -> Any:
    """Return a JSON value with personal data masked, by the name under which it stands."""
    if isinstance(value, Mapping):
        return {key: masked(held, key) for key, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [masked(one, name) for one in value]
    if value is None or isinstance(value, bool):
        return value
    by_name = _BY_NAME.get(name)
    if by_name is not None:
        return by_name(str(value))
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """Return a text with the mobile and identity numbers in it masked."""
    text = _IDENTITY_FORM.sub(r"**************\1", text)
    return _PHONE_FORM.sub(r"\1****\2", text)


def masked_texts(value: Any) -> Any:
    """Return texts with the mobile and identity numbers in them masked; what is no text, as it is."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, list):
        return [masked_texts(one) for one in value]
    if isinstance(value, dict):
        return {key: masked_texts(held) for key, held in value.items()}
    return value


def masked_name(text: str) -> str:
    """Return a name of which the first character is shown."""
    return _name(text)


def masked_address(text: str) -> str:
    """Return an address down to its village."""
    return _address(text)


def hidden(text: str) -> str:
    """Return what stands for a text of which nothing is shown."""
    return _hidden(text)


def masked_body(body: str) -> str:
    """Return a JSON text with personal data masked; word for word where there is none."""
    try:
        given = json.loads(body)
        shown = masked(given)
        return body if shown == given else json.dumps(shown, ensure_ascii=False)
    except (ValueError, RecursionError):
        # It is no JSON, or none that can be read: what looks like a member is masked as one.
        return masked_text(_MEMBER.sub(_masked_member, body))


def _masked_member(found: re.Match[str]) -> str:
    begins, name, value = found.groups()
    return begins + _BY_NAME[name](value)


def masked_query(query: str) -> str:
    """Return a query string with personal data masked, by the names of its parameters."""
    given = parse_qsl(query, keep_blank_values=True, errors="replace")
    return urlencode([(name, masked(value, name)) for name, value in given], safe="*")


def _hidden(_: str) -> str:
    return _HIDDEN


def _name(text: str) -> str:
    return text[:1] + _HIDDEN


def _address(text: str) -> str:
    return text if len(text) <= VILLAGE_DIGITS else text[:VILLAGE_DIGITS] + _HIDDEN


def _phone(text: str) -> str:
    return masked_text(text) if _PHONE_FORM.search(text) else _end(text)


def _end(text: str) -> str:
    if _MASKED.fullmatch(text) is not None:
        return text
    return _HIDDEN + text[-_END:] if len(text) > 2 * _END else _HIDDEN


def _degrees(text: str) -> str:
    return _AFTER_A_TENTH.sub(r"\1*", text)


_BY_NAME: Mapping[str, Callable[[str], str]] = (
    dict.fromkeys(("secret", "password", "token", "contact_note"), _hidden)
    | dict.fromkeys(("phone", "mobile", "telephone", "contact_phone"), _phone)
    | dict.fromkeys(("id_number", "identity_number", "id_card"), _end)
    | dict.fromkeys(("customer_name", "contact_name", "person_name", "contact"), _name)
    | dict.fromkeys(("address", "standard_address", "resource_address"), _address)
    | dict.fromkeys(("latitude", "longitude"), _degrees)
)
_MEMBER = re.compile(rf'("({"|".join(_BY_NAME)})"\s*:\s*"?)([^",}}\]]+)')
