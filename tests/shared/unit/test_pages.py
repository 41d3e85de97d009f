"""Cursors: what a list gave out, and nothing that breaks what asks with it."""

import base64

import pytest

from huaxiao.shared.pages import PageQuery
from huaxiao.shared.problems import Malformed


@pytest.mark.parametrize(
    "key", ['["\\ud800"]', '["a\\u0000"]', "[" * 3_000, '{"a":' * 3_000, '["a","b"]', "[1]", "null"]
)
def test_a_forged_cursor_is_malformed(key: str) -> None:
    cursor = base64.urlsafe_b64encode(key.encode()).decode()
    with pytest.raises(Malformed):
        PageQuery(cursor, 10).after(str)


@pytest.mark.parametrize("cursor", ["%", "é", "\ud800", "x" * 9_999])
def test_what_is_no_cursor_at_all_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed):
        PageQuery(cursor, 10).after(str)
