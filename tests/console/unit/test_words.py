"""Every code that a page may show has a name in both languages."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from huaxiao.console.language import CHINESE, ENGLISH, Words, chosen
from huaxiao.console.quarantine.views import CODES, Shown, Turn
from huaxiao.console.what_if.views import RuleChange
from huaxiao.console.words import called
from huaxiao.shared.auth import Role
from huaxiao.shared.wire import (
    alerts,
    appraisals,
    attribution,
    contracts,
    contributions,
    dispatch,
    forecasts,
    kpi,
    plans,
    settlement,
    tickets,
)

SHOWN: list[tuple[str, type[StrEnum]]] = [
    ("role", Role),
    ("", kpi.Standing),
    ("", kpi.Span),
    ("", kpi.Unit),
    ("figure", contributions.ExplainedFigure),
    ("", contributions.ContributionKind),
    ("", forecasts.ForecastMethod),
    ("", forecasts.NeededAmount),
    ("alert_kind", alerts.AlertKind),
    ("", dispatch.OrderKind),
    ("", dispatch.OrderState),
    ("cause", dispatch.SuspensionCause),
    ("appraisal", dispatch.AppraisalKind),
    ("card", dispatch.AppraisalState),
    ("revision", appraisals.RevisionCause),
    ("", attribution.UnresolvedStanding),
    ("", attribution.DisputeState),
    ("dispute_step", attribution.DisputeStepName),
    ("", settlement.StatementState),
    ("", settlement.Side),
    ("field_kind", contracts.FieldKind),
    ("covers", contracts.FieldKind),
    ("ticket", tickets.TicketState),
    ("timer", tickets.TimerName),
    ("urgency", tickets.Urgency),
    ("boundary", tickets.Boundary),
    ("unit", tickets.Supervisor),
    ("plan", plans.PlanState),
    ("plan_kind", plans.PlanKind),
    ("rule_set", attribution.RuleSetState),
    ("rule_change", RuleChange),
    ("owner", attribution.OwnerSource),
    ("channel", contracts.ChannelKind),
    ("became", attribution.Outcome),
    ("held_state", Shown),
    ("turn", Turn),
]


@pytest.mark.parametrize(("of", "codes"), SHOWN)
def test_a_code_is_called_something_in_both_languages(of: str, codes: type[StrEnum]) -> None:
    for code in codes:
        chinese, english = (called(Words(one), code, of) for one in (CHINESE, ENGLISH))
        assert any("一" <= one <= "鿿" for one in chinese), code
        assert english.isascii(), code


def test_whatever_holds_an_event_has_a_name_and_can_be_filtered_by(project: Path) -> None:
    page = (project / "docs" / "attribution.md").read_text()
    listed = re.findall(
        r"^\| `([a-z-]+)` \|", page.partition("## What cannot be booked")[2], re.MULTILINE
    )
    assert set(listed) - {"duplicate"} == set(CODES)
    for code in CODES:
        chinese, english = (called(Words(one), code, "why") for one in (CHINESE, ENGLISH))
        assert any("一" <= one <= "鿿" for one in chinese), code
        assert english != code


def test_what_has_no_name_is_shown_as_it_is() -> None:
    assert called(Words(CHINESE), "SOMETHING_NEW") == "SOMETHING_NEW"


@pytest.mark.parametrize(
    ("asked", "kept", "language"),
    [
        *((None, None, CHINESE), ("en", None, ENGLISH), ("zh", "en", CHINESE)),
        *((None, "en", ENGLISH), ("fr", None, CHINESE), ("", "en", ENGLISH)),
    ],
)
def test_a_page_speaks_what_is_asked_else_what_was_else_chinese(
    asked: str | None, kept: str | None, language: str
) -> None:
    assert chosen(asked, kept) == language
