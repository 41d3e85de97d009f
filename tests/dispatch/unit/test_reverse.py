"""The reverse appraisal's card: centres of equal weight, and what tickets say of who owed them."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.reverse import (
    LEAST_CENTRES,
    R1,
    R2,
    Vote,
    card_of,
    reverse_card,
    ticket_measures,
    vote_faults,
)
from huaxiao.dispatch.domain.scorecard import Measure
from huaxiao.dispatch.domain.tickets import RAISE, Happening, TicketRecord
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.tickets import TicketState, Unit, Urgency

S = TicketState
MONDAY = datetime(2017, 11, 6, 10, tzinfo=BUSINESS_ZONE)
SINCE, UNTIL = MONDAY - timedelta(days=5), MONDAY + timedelta(days=20)
HOUR = timedelta(hours=1)
SUPPORT, TOWN = Unit(centre_id="SS"), Unit(centre_id="C1")
FULL = {scale.item: Measure(1000, 10) for scale in R1.scales}


def all_items(stars: int) -> dict[str, int]:
    return dict.fromkeys(R1.stars, stars)


@pytest.mark.parametrize("form", [R1, R2])
def test_the_weights_of_a_form_make_a_hundred(form: Any) -> None:
    assert sum(one.weight for one in form.scales) + sum(form.stars.values()) == 100


def test_each_centre_has_the_same_weight_however_many_of_its_people_vote() -> None:
    votes = [
        Vote("C1", all_items(5)),
        Vote("C1", all_items(3)),
        Vote("C2", all_items(2)),
        Vote("G1", all_items(3)),
    ]
    card = reverse_card(R1, FULL, votes)
    assert card.voting_centres == 3
    # Means 4, 2 and 3 make 3 of 5 stars on half of the card; the other half is in full.
    assert card.score == 50 + 50 * Fraction(3, 5)
    assert card.centre_means["attitude"] == (2, 3, 4)


def test_fewer_than_three_centres_are_void() -> None:
    votes = [Vote(one, all_items(5)) for one in ("C1", "C1", "C2", "C2")]
    card = reverse_card(R1, FULL, votes)
    assert (card.void, card.score, card.voting_centres) == (True, None, 2)
    assert reverse_card(R1, FULL, []).void


def test_what_is_measured_too_seldom_spreads_its_weight() -> None:
    votes = [Vote(one, all_items(4)) for one in ("C1", "C2", "G1")]
    card = reverse_card(R1, {"first_reply": Measure(400, 4)}, votes)
    assert card.score == 80


centre_ids = st.sampled_from(["C1", "C2", "C3", "G1", "B1"])
star_sheets = st.fixed_dictionaries({item: st.integers(1, 5) for item in R1.stars})
vote_lists = st.lists(st.builds(Vote, centre_ids, star_sheets), max_size=10)


@given(vote_lists, st.permutations(range(10)))
def test_a_card_is_computed_again_from_what_it_tells_and_tells_nobodys_name(
    votes: Any, order: Any
) -> None:
    card = reverse_card(R1, FULL, votes)
    again = card_of(R1, FULL, card.centre_means, voting_centres=card.voting_centres)
    assert again == card
    # Exchanging what two centres said changes nothing that is told.
    ids = sorted({one.centre_id for one in votes})
    renamed = dict(zip(ids, ids[1:] + ids[:1], strict=True))
    exchanged = [Vote(renamed[one.centre_id], one.stars) for one in votes]
    shuffled = [exchanged[place] for place in order if place < len(exchanged)]
    assert reverse_card(R1, FULL, shuffled) == card
    assert card.score is None or 0 <= card.score <= 100
    assert card.void == (len(ids) < LEAST_CENTRES)


def test_a_vote_rates_every_item_and_gives_reasons_for_two_stars_or_fewer() -> None:
    good = all_items(3)
    assert list(vote_faults(R1, good, {})) == []
    poor = good | {"attitude": 2}
    assert [one.pointer for one in vote_faults(R1, poor, {})] == ["/reasons/attitude"]
    assert list(vote_faults(R1, poor, {"attitude": "slow"})) == []
    missing = {item: stars for item, stars in good.items() if item != "complaints"}
    assert [one.pointer for one in vote_faults(R1, missing, {})] == ["/stars/complaints"]
    unknown = [one.pointer for one in vote_faults(R1, good | {"looks": 5}, {"colour": "red"})]
    assert unknown == ["/stars/looks", "/reasons/colour"]


def record(*happenings: Any, urgency: Any = Urgency.URGENT) -> TicketRecord:
    history = [Happening(1, RAISE, S.RAISED, MONDAY, SUPPORT)]
    for number, (step, state, hours, *owner) in enumerate(happenings, start=2):
        unit = owner[0] if owner else history[-1].owner
        history.append(Happening(number, step, state, MONDAY + hours * HOUR, unit))
    return TicketRecord(urgency, tuple(history))


def measured(*tickets: Any, of: Any = "SS", since: Any = SINCE, until: Any = UNTIL) -> Any:
    found = ticket_measures(tickets, of, since=since, until=until)
    return {item: (one.total // 100, one.count) for item, one in found.items()}


DONE = (("accept", S.ACCEPTED, 1), ("answer", S.ANSWERED, 4), ("close", S.CLOSED, 5))
LATE = (("accept", S.ACCEPTED, 3), ("answer", S.ANSWERED, 4.5), ("close", S.CLOSED, 5))


def test_tickets_are_measured_by_their_own_records() -> None:
    assert measured(record(*DONE), record(*LATE), record()) == {
        "first_reply": (1, 3),
        "closed_on_time": (1, 3),
        "supervision": (1, 2),
    }


def test_what_became_late_with_another_unit_is_that_units() -> None:
    passed_on = record(("accept", S.ACCEPTED, 1), ("hand_over", S.HANDED_OVER, 2, TOWN))
    assert measured(passed_on) == {
        "first_reply": (1, 1),
        "closed_on_time": (0, 0),
        "supervision": (0, 1),
    }
    assert measured(passed_on, of="C1")["closed_on_time"] == (0, 1)
    too_late = record(("accept", S.ACCEPTED, 1), ("hand_over", S.HANDED_OVER, 6, TOWN))
    assert measured(too_late)["closed_on_time"] == (0, 1)


def test_what_needed_no_answer_is_nobodys_achievement() -> None:
    withdrawn = record(("close", S.CLOSED, 1))
    assert measured(withdrawn) == {
        "first_reply": (0, 0),
        "closed_on_time": (0, 0),
        "supervision": (0, 0),
    }


def test_a_month_counts_what_was_settled_in_it() -> None:
    middle = MONDAY + 4.2 * HOUR
    assert measured(record(*DONE), until=middle)["closed_on_time"] == (0, 0)
    assert measured(record(*DONE), since=middle) == {
        "first_reply": (0, 0),
        "closed_on_time": (1, 1),
        "supervision": (0, 0),
    }
    assert measured(record(*LATE), since=MONDAY + 6 * HOUR)["supervision"] == (0, 0)
    # Silence closes at its moment, whether anybody has recorded it or not.
    answered = record(*DONE[:2])
    assert measured(answered)["closed_on_time"] == (1, 1)
