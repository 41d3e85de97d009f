"""An event that names a member twice says two things: it is refused, wherever and however it is written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiao.attribution.domain.messages import Message, Refusal
from huaxiao.attribution.intake.reading import read
from huaxiao.shared.wire.events import DATA_TYPES

NOW = datetime(2018, 1, 5, tzinfo=UTC)
_ADDRESS = "130123001001"
_DAY = {"subscription_id": "S-1", "effective_on": "2017-11-01"}
_BUNDLE = {"bundle_id": "B-1", "effective_on": "2017-11-01", "subscription_ids": ["S-1", "S-2"]}
_COST = {"cost_id": "K-1", "kind": "office", "period": 201711, "amount_fen": 5}
REQUIRED: dict[str, dict[str, Any]] = {
    "subscription.opened": {
        "subscription_id": "S-1",
        "customer_id": "P-1",
        "product": "mobile",
        "opened_on": "2017-11-01",
    },
    "subscription.changed": _DAY | {"customer_id": "P-2"},
    "subscription.moved": _DAY | {"standard_address": _ADDRESS},
    "subscription.suspended": _DAY,
    "subscription.resumed": _DAY,
    "subscription.closed": _DAY,
    "bundle.formed": _BUNDLE,
    "bundle.changed": _BUNDLE,
    "bundle.dissolved": {"bundle_id": "B-1", "effective_on": "2017-11-01"},
    "lead.converted": {
        "lead_id": "L-1",
        "approved_on": "2017-10-20",
        "owner_centre_id": "G1",
        "subscription_id": "S-1",
    },
    "baseline.stated": {"subscription_id": "S-1", "period": 201711, "centre_id": "C1"},
    "bill_item.issued": {
        "bill_item_id": "BI-1",
        "subscription_id": "S-1",
        "period": 201711,
        "item_kind": "monthly",
        "amount_fen": 100,
    },
    "payment.received": {"payment_id": "P-1", "subscription_id": "S-1", "amount_fen": 100},
    "refund.issued": {"refund_id": "R-1", "bill_item_id": "BI-1", "amount_fen": 100},
    "adjustment.made": {"adjustment_id": "A-1", "bill_item_id": "BI-1", "amount_fen": -100},
    "write_off.made": {"write_off_id": "W-1", "bill_item_id": "BI-1", "amount_fen": 100},
    "cost.incurred": _COST,
    "cost.paid": _COST,
    "work.requested": {
        "order_id": "O-1",
        "kind": "install",
        "customer_class": "public",
        "customer_id": "P-1",
        "standard_address": _ADDRESS,
        "requested_at": "2017-11-02T09:00:00+08:00",
    },
}
OPTIONAL: dict[str, dict[str, Any]] = {
    "subscription.changed": {"customer_kind": "enterprise"},
    "subscription.opened": {
        "account_id": None,
        "customer_kind": "person",
        "standard_address": _ADDRESS,
        "resource_address": None,
        "channel_id": "CH-1",
        "developer_id": "P03",
    },
    "lead.converted": {
        "people": [
            {"person_id": "P1", "share_basis_points": 4_000},
            {"person_id": "P2", "share_basis_points": 6_000},
        ],
        "rate_basis_points": 200,
        "months": None,
        "project_id": "PRJ",
    },
    "baseline.stated": {"field_id": "F-1"},
    "bill_item.issued": {"tax_fen": 0},
    "payment.received": {"channel_id": "CH-1", "remitted_fen": 90},
    "cost.incurred": {"channel_id": "CH-1"},
    "cost.paid": {"centre_id": "C1", "field_id": None},
    "work.requested": {"circuit_grade": "aaa", "build_needed": False, "subscription_id": None},
}

Members = list[tuple[str, Any]]
"""An object as it is written: what it names, in order, as often as it names it."""


def test_every_kind_of_event_is_asked_about() -> None:
    assert set(REQUIRED) == set(DATA_TYPES)


def members(given_: Any) -> Any:
    if isinstance(given_, dict):
        return [(name, members(value)) for name, value in given_.items()]
    if isinstance(given_, list):
        return tuple(members(one) for one in given_)
    return given_


def objects_in(written: Any) -> list[Members]:
    """Return every object in what is written, itself included."""
    if isinstance(written, list):
        return [written, *(one for _, value in written for one in objects_in(value))]
    if isinstance(written, tuple):
        return [found for one in written for found in objects_in(one)]
    return []


def envelope(kind: str, data: Any, **beside: Any) -> Members:
    return [
        ("specversion", "1.0"),
        ("id", "E-1"),
        ("source", "/billing"),
        ("type", kind),
        ("time", "2017-11-30T10:00:00+08:00"),
        ("branchid", 130123),
        *members(beside),
        ("data", members(data)),
    ]


def text_of(written: Any, space: Callable[[], str], name: Callable[[str], str]) -> str:
    if isinstance(written, list):
        parts = [
            f"{space()}{name(key)}{space()}:{space()}{text_of(value, space, name)}{space()}"
            for key, value in written
        ]
        return "{" + (",".join(parts) or space()) + "}"
    if isinstance(written, tuple):
        return "[" + ",".join(text_of(one, space, name) for one in written) + "]"
    return json.dumps(written, ensure_ascii=False)


def escaped(name: str) -> str:
    return '"' + "".join(f"\\u{ord(one):04x}" for one in name) + '"'


def code(raw: bytes) -> str | None:
    says = read(raw, now=NOW).says
    return says.code if isinstance(says, Refusal) else None


_awkward = st.lists(
    st.sampled_from(['"', "\\", ":", ",", "{", "}", " ", "a", "n", "u0022", "区", '":"', "/"]),
    max_size=8,
).map("".join)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | _awkward,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(_awkward, children, max_size=3)
    ),
    max_leaves=8,
)
_beside = st.fixed_dictionaries(
    {},
    optional={
        "subject": st.sampled_from(["", "S-1"]),
        "sequence": st.sampled_from([None, "17"]),
        "currency": st.just("CNY"),
        "datacontenttype": st.just("application/json") | _values,
        "traceparent": _values,
        "tax_fen": _values,
        '"datacontenttype': _values,
    },
)


@given(st.data())
@settings(max_examples=300)
def test_whatever_is_named_twice_is_found_and_nothing_else(draw: st.DataObject) -> None:
    kind = draw.draw(st.sampled_from(sorted(REQUIRED)))
    some = draw.draw(st.sets(st.sampled_from(sorted(OPTIONAL.get(kind, {})) or ["none"])))
    optional = {name: value for name, value in OPTIONAL.get(kind, {}).items() if name in some}
    if kind == "cost.paid" and len(optional) == 2:
        optional.pop("field_id")
    written = envelope(kind, REQUIRED[kind] | optional, **draw.draw(_beside))
    twice, alike = draw.draw(st.booleans()), True
    if twice:
        chosen = draw.draw(st.sampled_from([one for one in objects_in(written) if one]))
        name, value = draw.draw(st.sampled_from(chosen))
        alike = draw.draw(st.booleans())
        # The last one counts, and leaves an event that could be booked.
        other = value if alike else members(draw.draw(_values))
        before = next(index for index, one in enumerate(chosen) if one[0] == name)
        chosen.insert(draw.draw(st.integers(0, before)), (name, other))
    text = text_of(
        written,
        lambda: draw.draw(st.sampled_from(["", "", " ", "\n\t"])),
        lambda one: draw.draw(st.sampled_from([json.dumps(one), json.dumps(one), escaped(one)])),
    )
    found = code(text.encode())
    # The first one may be of another form besides.
    assert found == ("repeated-member" if twice else None) or (found and twice and not alike), text


BILL = REQUIRED["bill_item.issued"]


def written(*, twice: str, value: Any) -> bytes:
    """Return a bill whose envelope names an attribute once more."""
    event = [(twice, members(value)), *envelope("bill_item.issued", BILL)]
    return text_of(event, lambda: "", json.dumps).encode()


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("id", "E-0", ("/billing", None, 130123)),
        ("source", "/other", (None, "E-1", 130123)),
        ("branchid", 130124, ("/billing", "E-1", None)),
        ("data", BILL, ("/billing", "E-1", 130123)),
    ],
)
def test_what_is_said_twice_of_an_event_names_it_no_more(
    name: str, value: Any, known: tuple[str | None, str | None, int | None]
) -> None:
    reading = read(written(twice=name, value=value), now=NOW)
    assert (reading.name.source, reading.name.event_id, reading.name.branch_id) == known
    assert isinstance(reading.says, Refusal)
    assert reading.says.code == "repeated-member"
    assert f" {name} " in reading.says.message
    assert f" {name} " in reading.says.message_zh


def test_an_event_that_is_wrong_besides_is_not_named_by_what_it_says_twice() -> None:
    raw = written(twice="id", value="E-0").replace(b'"1.0"', b'"0.3"')
    reading = read(raw, now=NOW)
    assert isinstance(reading.says, Refusal)
    assert reading.name.key is None


def test_the_same_text_as_name_and_value_is_no_repetition() -> None:
    event = envelope("bill_item.issued", BILL | {"item_kind": "amount_fen"}, note='"amount_fen":1')
    assert isinstance(read(text_of(event, str, json.dumps).encode(), now=NOW).says, Message)
