"""What cannot be booked is refused with a code that says what is wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.messages import Message, Refusal
from huaxiao.attribution.intake.reading import read

NOW = datetime(2018, 1, 5, tzinfo=UTC)
DATA = {
    "bill_item_id": "BI-1",
    "subscription_id": "S-1",
    "period": 201711,
    "item_kind": "monthly",
    "amount_fen": 100,
}
COST = {"cost_id": "K-1", "kind": "office", "period": 201711, "amount_fen": 5}
MOVE = {"subscription_id": "S-1", "standard_address": "130123001001"}
WORK = {
    "order_id": "O-1",
    "kind": "install",
    "customer_class": "public",
    "customer_id": "PER-1",
    "standard_address": "130123001001",
    "requested_at": "2017-11-02T09:00:00+08:00",
}


def event(data: Any, **changed: Any) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": "E-1",
        "source": "/billing",
        "type": "bill_item.issued",
        "time": "2017-11-30T10:00:00+08:00",
        "branchid": 130123,
        "data": data,
    }
    return json.dumps(envelope | changed).encode()


def test_a_right_event_is_read_whole() -> None:
    reading = read(event(DATA), now=NOW)
    assert isinstance(reading.says, Message)
    assert reading.says.key == ("/billing", "E-1")
    assert reading.name.branch_id == 130123


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (event(DATA | {"amount_fen": 1.5}), "bad-amount"),
        (event(DATA | {"amount_fen": "100"}), "bad-amount"),
        (event(DATA | {"amount_fen": True}), "bad-amount"),
        (event(DATA | {"amount_fen": 0}), "bad-amount"),
        (event(DATA | {"amount_fen": 10**16}), "bad-amount"),
        (event(DATA | {"tax_fen": -1}), "bad-amount"),
        (event(DATA | {"period": 201713}), "bad-period"),
        (event(DATA | {"period": 201700}), "bad-period"),
        (event(DATA | {"period": "201711"}), "bad-period"),
        (event(DATA | {"period": 201803}), "bad-period"),
        (event({k: v for k, v in DATA.items() if k != "subscription_id"}), "malformed-event"),
        (event(DATA | {"discount": 1}), "malformed-event"),
        (event(DATA | {"subscription_id": "S 1"}), "malformed-event"),
        (event(DATA | {"subscription_id": "S-1\n"}), "malformed-event"),
        (event(DATA | {"subscription_id": "S\x00"}), "malformed-event"),
        (event(None), "malformed-event"),
        (event(DATA, type="bill_item.guessed"), "unknown-type"),
        (event(DATA, branchid=7), "unknown-branch"),
        (event(DATA, source="/attribution"), "reserved-source"),
        (event(DATA, specversion="0.3"), "malformed-event"),
        (event(DATA, currency="USD"), "unknown-currency"),
        (event(DATA, currency=156), "unknown-currency"),
        (event(DATA | {"currency": "CNY"}), "malformed-event"),
        (event(DATA, time="2017-11-30"), "malformed-event"),
        (event(DATA, time="2017-11-30T10:00:00"), "malformed-event"),
        (event(DATA, time="2018-01-07T10:00:00Z"), "clock-off"),
        (event(COST | {"centre_id": "C1", "field_id": "F1"}, type="cost.paid"), "malformed-event"),
        (event(COST | {"kind": "Office rent"}, type="cost.paid"), "malformed-event"),
        (event(WORK | {"kind": "dance"}, type="work.requested"), "malformed-event"),
        (event(WORK | {"customer_class": "vip"}, type="work.requested"), "malformed-event"),
        (event(WORK | {"circuit_grade": "gold"}, type="work.requested"), "malformed-event"),
        (
            event(
                {
                    "subscription_id": "S-1",
                    "customer_id": "P",
                    "product": "fax",
                    "opened_on": "2017-01-01",
                },
                type="subscription.opened",
            ),
            "unknown-product",
        ),
        (
            event(
                {"bundle_id": "B", "effective_on": "2017-11-01", "subscription_ids": ["S", "S"]},
                type="bundle.formed",
            ),
            "malformed-event",
        ),
        (
            event(
                {"adjustment_id": "A", "bill_item_id": "B", "amount_fen": 0},
                type="adjustment.made",
            ),
            "bad-amount",
        ),
        (event(DATA | {"amount_fen": 10**12 + 1}), "bad-amount"),
        (event(DATA, time="1999-12-31T10:00:00Z"), "clock-off"),
        (event(DATA, time="0001-01-01T00:00:00+14:00"), "clock-off"),
        (event(WORK | {"requested_at": "0001-01-01T00:00:00Z"}, type="work.requested"), "bad-date"),
        (event(MOVE | {"effective_on": "9999-12-31"}, type="subscription.moved"), "bad-date"),
        (event(MOVE | {"effective_on": "0001-01-01"}, type="subscription.moved"), "bad-date"),
        (b'{"id":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "malformed-event"),
        (b"17", "malformed-event"),
        (b'{"id": "\xff"}', "malformed-event"),
        (b"[[[[[[", "malformed-event"),
    ],
)
def test_a_wrong_event_is_refused_with_a_code(raw: bytes, code: str) -> None:
    reading = read(raw, now=NOW)
    assert isinstance(reading.says, Refusal)
    assert reading.says.code == code
    assert reading.says.message
    assert reading.says.message_zh
    assert reading.raw == raw


def code(raw: bytes) -> str | None:
    says = read(raw, now=NOW).says
    return says.code if isinstance(says, Refusal) else None


@pytest.mark.parametrize(
    ("first", "before"),
    [
        ("2000-01-01T00:00:00+08:00", "1999-12-31T23:59:59.999999+08:00"),
        ("1999-12-31T16:00:00Z", "1999-12-31T15:59:59Z"),
    ],
)
def test_books_begin_with_the_year_2000_in_the_business_zone(first: str, before: str) -> None:
    assert code(event(DATA, time=first)) is None
    assert code(event(DATA, time=before)) == "clock-off"


@pytest.mark.parametrize(
    ("day", "beyond"), [("1950-01-01", "1949-12-31"), ("2099-11-30", "2099-12-01")]
)
def test_days_are_taken_as_far_as_periods_reach(day: str, beyond: str) -> None:
    moved = "subscription.moved"
    assert code(event(MOVE | {"effective_on": day}, type=moved)) is None
    assert code(event(MOVE | {"effective_on": beyond}, type=moved)) == "bad-date"


def test_a_wrong_event_is_named_as_far_as_it_can_be_read() -> None:
    reading = read(event(DATA | {"amount_fen": 1.5}), now=NOW)
    assert (reading.name.source, reading.name.event_id) == ("/billing", "E-1")
    assert read(event(DATA, specversion="0.3"), now=NOW).name.event_id == "E-1"


def test_amounts_are_yuan_whether_it_is_said_or_not() -> None:
    assert code(event(DATA, currency="CNY")) is None
    assert code(event(DATA)) is None


def test_attributes_that_are_not_known_are_not_looked_at() -> None:
    added = {"datacontenttype": "application/json", "traceparent": "00-1-2-01", "partitionkey": "1"}
    assert code(event(DATA, **added)) is None


def test_an_event_without_data_is_told_so() -> None:
    says = read(event(DATA).replace(b'"data"', b'"data_base64"'), now=NOW).says
    assert isinstance(says, Refusal)
    assert "`data`" in says.message


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_reading_fail(raw: bytes) -> None:
    assert read(raw, now=NOW).raw == raw


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from([*DATA, "tax_fen"]), _json),
    st.sampled_from(["x", "bill_item.issued"]),
)
def test_no_json_whatever_makes_reading_fail(data: dict[str, Any], kind: str) -> None:
    read(event(DATA | data, type=kind), now=NOW)


@pytest.mark.parametrize(
    ("raw", "message_zh"),
    [
        (
            event(DATA | {"amount_fen": 1.5}),
            "金额必须是以分为单位的整数：应为整数，实为小数（amount_fen）",
        ),
        (
            event(DATA | {"amount_fen": None}),
            "金额必须是以分为单位的整数：应为整数，实为空值（amount_fen）",
        ),
        (event(DATA | {"amount_fen": 0}), "金额超出允许范围：应为 >= 1 的整数（amount_fen）"),
        (
            event(DATA).replace(b": 100}", b": 1e400}"),
            "金额必须是以分为单位的整数：数值超出范围（amount_fen）",
        ),
        (event(DATA | {"period": "201711"}), "账期必须是 YYYYMM：应为整数，实为文本（period）"),
        (event(DATA, currency="USD"), "金额只能是人民币（CNY）：不允许的取值 'USD'（currency）"),
        (event({}), "事件格式不符合要求：缺少必填项 bill_item_id"),
        (event(DATA | {"note": 1}), "事件格式不符合要求：含有未知项 note"),
        (
            event(DATA | {"bill_item_id": "B" * 65}),
            "事件格式不符合要求：文本长度应 <= 64（bill_item_id）",
        ),
        (
            event(DATA | {"item_kind": "A"}),
            "事件格式不符合要求：文本格式应为 ^[a-z][a-z0-9_]*\\Z（item_kind）",
        ),
        (event(DATA, sequence=5), "事件格式不符合要求：应为文本或空值，实为整数（sequence）"),
        (event(DATA, time="2017-11-30T10:00:00"), "事件格式不符合要求：时间须带时区（time）"),
        (event(DATA, time="yesterday"), "事件格式不符合要求：不是有效的时间（RFC 3339）（time）"),
        (event([1]), "事件格式不符合要求：应为对象，实为数组"),
        (
            event(
                {"bundle_id": "B-1", "effective_on": "2017-11-01", "subscription_ids": []}
            ).replace(b"bill_item.issued", b"bundle.formed"),
            "事件格式不符合要求：项数应 >= 1（subscription_ids）",
        ),
        (b'{"id": "E-1"', "事件格式不符合要求：内容不完整，提前结束"),
        (b'{"id": nope}', "事件格式不符合要求：不是有效的 JSON（byte 11）"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_in_chinese_all_of_it(
    raw: bytes, message_zh: str
) -> None:
    says = read(raw, now=NOW).says
    assert isinstance(says, Refusal)
    assert says.message_zh == message_zh
