"""A batch is cut into its events, whatever one of them holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.intake.batches import split

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BROKEN = [
    b'{"a":"\\ud800"}',
    b'{"a":"\\x"}',
    b'{"a":NaN}',
    b'{"a":"\n"}',
    b"[" * 3000 + b"]" * 3000,
]


@given(st.lists(json_values, max_size=4), st.sampled_from(BROKEN), st.integers(0, 4))
def test_what_is_broken_stands_alone_and_the_rest_is_as_it_came(
    values: list[object], broken: bytes, place: int
) -> None:
    elements = [json.dumps(value).encode() for value in values]
    elements.insert(min(place, len(elements)), broken)
    body = b" [ " + b" , ".join(elements) + b" ] \n"
    assert split(body) == elements


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"]",
        b"[]]",
        b'[{"a":1}',
        b'[{"a":"x}]',
        b'{"a":NaN}',
        b"[NaN] x",
        b"[[NaN]",
        b'[{"a":"x},{"b":"y"}]',
    ],
)
def test_an_array_that_does_not_close_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        split(body)
