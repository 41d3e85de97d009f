"""Personal data as the record shows it: enough to tell two apart, too little to know who it is.

By the name under which a value stands, and, wherever it stands, by its form: a mobile number and an
identity number are masked in free text, in a path and in a query as well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

_HIDDEN = "***"
_VILLAGE = 12
"""Of an address, as many characters as name its village are shown."""
_END = 4
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


def masked_query(query: str) -> str:
    """Return a query string with personal data masked, by the names of its parameters."""
    given = parse_qsl(query, keep_blank_values=True, errors="replace")
    return urlencode([(name, masked(value, name)) for name, value in given], safe="*")


def _hidden(_: str) -> str:
    return _HIDDEN


def _name(text: str) -> str:
    return text[:1] + _HIDDEN


def _address(text: str) -> str:
    return text if len(text) <= _VILLAGE else text[:_VILLAGE] + _HIDDEN


def _phone(text: str) -> str:
    return masked_text(text) if _PHONE_FORM.search(text) else _end(text)


def _end(text: str) -> str:
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
