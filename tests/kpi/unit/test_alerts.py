from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.kpi.alerts.delivering import MOST_TRIES, outcome, wait_after
from huaxiao.kpi.alerts.outgoing import ForbiddenUrl, address_of, checked, is_public, signature
from huaxiao.kpi.domain.alerts import Condition, Event, Held, Patience, due_at, step
from huaxiao.kpi.domain.observing import expected_month
from huaxiao.shared.wire.alerts import AlertState, DeliveryState

NOW = datetime(2017, 12, 1, tzinfo=UTC)
QUIET = Held(AlertState.QUIET, NOW)
MINUTES = st.integers(0, 90).map(lambda minutes: timedelta(minutes=minutes))
PATIENCE = st.builds(Patience, MINUTES, MINUTES)
INPUTS = st.lists(st.tuples(st.sampled_from(Condition), MINUTES), max_size=60)


def run(inputs: list[tuple[Condition, timedelta]], patience: Patience) -> list[Event]:
    held, now, events = QUIET, NOW, []
    for condition, later in inputs:
        now += later
        held, event = step(held, condition, now, patience)
        assert held.since <= now
        if event is not None:
            events.append(event)
    return events


@given(INPUTS, PATIENCE)
def test_firings_and_resolutions_take_turns(
    inputs: list[tuple[Condition, timedelta]], patience: Patience
) -> None:
    events = run(inputs, patience)

    assert events[::2] == [Event.FIRING] * len(events[::2])
    assert events[1::2] == [Event.RESOLVED] * len(events[1::2])


@given(
    st.lists(st.tuples(st.sampled_from([Condition.BETWEEN, Condition.UNKNOWN]), MINUTES)), PATIENCE
)
def test_what_flaps_within_the_margin_tells_nothing(
    inputs: list[tuple[Condition, timedelta]], patience: Patience
) -> None:
    assert run(inputs, patience) == []
    at_once = Patience(timedelta(0), patience.clear)
    assert run([(Condition.BAD, timedelta(0)), *inputs], at_once) == [Event.FIRING]


@given(st.lists(st.sampled_from([Condition.BAD, Condition.BETWEEN]), max_size=60), PATIENCE)
def test_what_is_good_by_no_margin_fires_once_and_is_not_resolved(
    inputs: list[Condition], patience: Patience
) -> None:
    every_minute = [(one, timedelta(minutes=1)) for one in inputs]

    assert run(every_minute, patience) in ([], [Event.FIRING])


@given(INPUTS, PATIENCE)
def test_an_alert_fires_only_after_it_was_bad_as_long_as_the_rule_wants(
    inputs: list[tuple[Condition, timedelta]], patience: Patience
) -> None:
    held, now = QUIET, NOW
    bad_since: datetime | None = None
    for condition, later in inputs:
        now += later
        if condition is Condition.BAD:
            bad_since = bad_since or now
        elif condition is not Condition.UNKNOWN:
            bad_since = None
        held, event = step(held, condition, now, patience)
        if event is Event.FIRING:
            assert bad_since is not None
            assert now - bad_since >= patience.hold


def test_an_alert_waits_fires_recovers_and_is_resolved() -> None:
    patience = Patience(timedelta(minutes=10), timedelta(minutes=5))
    seen = []
    held = QUIET
    for minute, condition in enumerate(
        [*[Condition.BAD] * 12, Condition.GOOD, Condition.BETWEEN, *[Condition.GOOD] * 7]
    ):
        now = NOW + timedelta(minutes=minute)
        due = due_at(held, patience)
        held, event = step(held, condition, now, patience)
        if event is not None:
            assert due == now
        if not seen or seen[-1][0] is not held.state:
            seen.append((held.state, minute))

    assert seen == [
        (AlertState.PENDING, 0),
        (AlertState.FIRING, 10),
        (AlertState.RECOVERING, 12),
        (AlertState.FIRING, 13),
        (AlertState.RECOVERING, 14),
        (AlertState.QUIET, 19),
    ]


def test_a_month_is_expected_some_days_after_its_end_by_the_calendar_of_business() -> None:
    # In Shanghai the eleventh of December begins at 16:00 UTC of the tenth.
    assert expected_month(10, datetime(2017, 12, 10, 15, 59, tzinfo=UTC)) == 201710
    assert expected_month(10, datetime(2017, 12, 10, 16, 0, tzinfo=UTC)) == 201711
    assert expected_month(0, datetime(2017, 12, 31, 16, 0, tzinfo=UTC)) == 201712


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "ff02::1"),
        *("64:ff9b:1::7f00:1", "::127.0.0.1", "fec0::1", "5f00::1"),
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://ops.example/", "ftp://ops.example/", "ops.example", "https://", "https:///x"),
        *("https://me:secret@ops.example/", "https://ops.example:8443/", "https://a b/"),
        *("https://ops.example/#x", "http://inside:9001/", "https://ops.example:99999/"),
    ],
)
def test_a_webhook_is_https_on_the_usual_port(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        checked(url, {"inside:9000"})


@pytest.mark.parametrize("url", ["https://a..b/", f"https://{'a' * 64}.example/"])
async def test_a_host_that_can_be_no_name_is_refused_and_breaks_nothing(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        await address_of(checked(url, set()), set())


def test_an_installation_may_allow_hosts() -> None:
    assert checked("http://inside:9000/x", {"inside:9000"}).host == "inside"
    assert checked("https://ops.example/x?y=1", set()).host == "ops.example"


def test_a_signature_is_over_moment_and_body() -> None:
    made = signature("secret", 1_512_086_400, b"{}")

    assert made.startswith("v1=")
    assert len({made, signature("secret", 1_512_086_401, b"{}"), signature("s", 0, b"{}")}) == 3


def test_waits_double_and_a_delivery_is_given_up_in_the_end() -> None:
    waits = [wait_after(tries).total_seconds() for tries in range(1, MOST_TRIES)]

    assert waits[:4] == [10, 20, 40, 80]
    assert waits == sorted(waits)
    assert max(waits) <= timedelta(hours=6).total_seconds()
    assert outcome("answered 500", 1, NOW) == {
        "next_at": NOW + timedelta(seconds=10),
        "failure": "answered 500",
    }
    assert outcome("answered 500", MOST_TRIES, NOW)["state"] is DeliveryState.DEAD
    assert outcome(None, MOST_TRIES, NOW)["state"] is DeliveryState.DELIVERED
