import hashlib
import json
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.documents import canonical, digest


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest({"a": 1, "b": ["县", None]}) == digest({"b": ["县", None], "a": 1})


def test_any_changed_value_changes_the_digest() -> None:
    assert digest({"a": 1}) != digest({"a": "1"})


@pytest.mark.parametrize("bad", [1.5, {"a": [0.0]}, [{"b": float("nan")}]])
def test_a_float_has_no_canonical_form(bad: object) -> None:
    with pytest.raises(TypeError):
        canonical(bad)


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from([Colour.RED, Number.ONE, 2**80, '\x00\x1f\x7f\u2028😀\uffff/\\"'])
)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(DOCUMENTS)
def test_the_canonical_form_is_that_of_the_standard_library(document: Any) -> None:
    # Digests of years ago were made of it.
    standard = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(document) == standard.encode()
    assert digest(document) == hashlib.sha256(standard.encode()).hexdigest()


@pytest.mark.parametrize("bad", [b"bytes", {"a": {1, 2}}, [object()]])
def test_what_is_no_json_has_no_canonical_form(bad: object) -> None:
    with pytest.raises(TypeError):
        canonical(bad)
