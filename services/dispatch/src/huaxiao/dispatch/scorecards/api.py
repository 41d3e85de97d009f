"""Routes of the scorecards."""

from typing import Annotated

from huaxiao.dispatch.scorecards import handlers
from huaxiao.dispatch.scorecards.handlers import ScorecardInForce, ScorecardOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.drafting_routes import Drafted, Told, add_routes, in_month
from huaxiao.shared.wire.scorecards import (
    Scorecard,
    ScorecardIn,
    ScorecardInForceIn,
    ScorecardSummary,
)

router = web.router(tags=["scorecards"])
_READER = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_WRITER = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
add_routes(
    router,
    Drafted(
        path="/scorecards",
        versions="/scorecards/versions",
        put="put-in-force",
        moment=in_month("in force in this month; the current when absent"),
        reader=_READER,
        writer=_WRITER,
        version=Scorecard,
        summary=ScorecardSummary,
        given=ScorecardIn,
        put_given=ScorecardInForceIn,
        unchangeable=ScorecardInForce,
        out_of_order=ScorecardOutOfOrder,
        in_force=handlers.of_period,
        list_versions=handlers.list_versions,
        show=handlers.show,
        draft=handlers.draft,
        put_in_force=handlers.put_in_force,
        get_told=Told("get_scorecards", "Show the scorecards in force."),
        list_told=Told("list_scorecard_versions", "List the county's own versions."),
        show_told=Told(
            "get_scorecard_version", "Show a version; 0 is the suite's own, to begin from."
        ),
        draft_told=Told(
            "put_scorecard_version", "Draft a version, or rewrite it while it is a draft."
        ),
        put_told=Told(
            "put_scorecards_in_force",
            "Let a version be in force from a month on, as a second person.",
        ),
    ),
)
