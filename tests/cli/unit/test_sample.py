"""The sample county and its generated month."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest

from huaxiao.cli.sample.county import County, sample_county
from huaxiao.cli.sample.generator import (
    EXACTLY_TEN_PERCENT_CENTRE,
    MARKET_COST_PER_MILLE,
    Sample,
    generate,
    split,
)
from huaxiao.shared.cost_kinds import CostClass, cost_class
from huaxiao.shared.periods import as_period
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.events import DATA_TYPES, Envelope

SUBSCRIBERS = 600


@pytest.fixture(scope="module")
def county() -> County:
    return sample_county()


@pytest.fixture(scope="module")
def sample(county: County) -> Sample:
    return generate(county, 7, SUBSCRIBERS)


def problem_of(event: dict[str, object]) -> str | None:
    envelope = msgspec.json.decode(msgspec.json.encode(event), type=Envelope)
    if envelope.type not in DATA_TYPES:
        return "unknown_type"
    try:
        data = msgspec.json.decode(envelope.data, type=DATA_TYPES[envelope.type])
    except msgspec.ValidationError as refused:
        return "float_amount" if "float" in str(refused) else "missing_field"
    try:
        as_period(getattr(data, "period", 201711))
    except ValueError:
        return "period_13"
    return None


def test_there_are_29_own_staff_and_3_outsourced(county: County) -> None:
    count = Counter(one.engagement for one in county.persons)
    assert count == {Engagement.OWN: 29, Engagement.OUTSOURCED: 3}


def test_30_positions_are_held_by_29_own_persons(county: County) -> None:
    own = [one for one in county.persons if one.engagement is Engagement.OWN]
    assert sum(len(one.assignments) for one in own) == 30
    assert [one.person_id for one in own if len(one.assignments) == 2] == ["P29"]


def test_every_village_lies_in_exactly_one_regional_field(county: County) -> None:
    covered = Counter(code for one in county.fields for code in one.address_prefixes)
    assert covered == Counter(one.code for one in county.villages)
    assert set(covered.values()) == {1}


def test_the_same_seed_gives_the_same_month(county: County, sample: Sample) -> None:
    assert generate(county, 7, SUBSCRIBERS) == sample
    assert generate(county, 8, SUBSCRIBERS).events != sample.events


def test_every_wrong_event_is_counted_and_every_other_one_decodes(sample: Sample) -> None:
    problems = Counter(problem_of(one) for one in sample.events)
    del problems[None]
    assert dict(problems) == sample.expected.refused_forms


def test_the_mended_event_has_the_right_form(sample: Sample) -> None:
    assert problem_of(sample.mended) is None


def test_no_event_lies_in_the_future_of_today(sample: Sample) -> None:
    assert all(datetime.fromisoformat(one["time"]) < datetime.now(UTC) for one in sample.events)


def test_planted_cases_are_there(sample: Sample) -> None:
    assert {name: len(ids) for name, ids in sample.expected.planted.items()} == {
        "address_conflict": 5,
        "no_address": 8,
        "sticky": 12,
        "circuit_no_developer": 3,
        "listed_dispute": 1,
        "moved": 1,
    }


def test_pay_of_one_centre_grows_by_exactly_a_tenth(sample: Sample) -> None:
    paid = next(one for one in sample.payroll if one.centre_id == EXACTLY_TEN_PERCENT_CENTRE)
    assert paid.pay_fen * 10 == sample.base[paid.centre_id][0].pay_fen * 11


def test_branch_pay_grows_by_more_than_a_tenth(sample: Sample) -> None:
    assert sum(one.pay_fen for one in sample.payroll) * 10 > sample.base[""][0].pay_fen * 11


def test_a_full_month_has_about_fifty_thousand_events(county: County) -> None:
    assert 45_000 < len(generate(county, 201711).events) < 60_000


def test_parts_sum_to_the_whole() -> None:
    assert sum(split(1001, [3, 3, 3])) == 1001


def test_every_cost_stands_on_its_own_closed_list(sample: Sample) -> None:
    spent: Counter[tuple[str, CostClass]] = Counter()
    for one in sample.events:
        if one["type"] == "cost.incurred":
            data = one["data"]
            spent[data["centre_id"], cost_class(data["kind"])] += data["amount_fen"]
    for centre_id, revenue in sample.expected.revenue_fen.items():
        of_market = revenue * MARKET_COST_PER_MILLE[centre_id] // 1000
        assert spent[centre_id, CostClass.MARKET] == of_market
    assert {kept for _, kept in spent} <= {CostClass.MARKET, CostClass.NETWORK_LINE}


def test_the_plan_judges_as_the_county_was_drawn(sample: Sample) -> None:
    assert sample.expected.targets == {
        ("", "market_gross_margin"): ("pass", "82.40 %"),
        ("C1", "market_gross_margin"): ("pass", "82.50 %"),
        ("C2", "market_gross_margin"): ("fail", "81.00 %"),
        ("C3", "market_gross_margin"): ("fail", "78.00 %"),
        ("G1", "market_gross_margin"): ("pass", "88.00 %"),
        ("", "cash_flow_growth"): ("pass", "10.43 %"),
        ("", "average_wage_growth"): ("pass", "10.42 %"),
        ("C3", "average_wage_growth"): ("fail", "10.00 %"),
    }
