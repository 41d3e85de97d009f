"""Routes of the service levels."""

from typing import Annotated

from huaxiao.dispatch.service_levels import handlers
from huaxiao.dispatch.service_levels.handlers import LevelsInForce, LevelsOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.drafting_routes import Drafted, OnDay, Told, add_routes
from huaxiao.shared.wire.service_levels import (
    InForceIn,
    ServiceLevels,
    ServiceLevelsIn,
    ServiceLevelsSummary,
)

router = web.router(tags=["service levels"])
_READER = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_WRITER = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE, whole_branch=True)]
add_routes(
    router,
    Drafted(
        path="/service-levels",
        versions="/service-levels/versions",
        put="put-in-force",
        moment=OnDay,
        reader=_READER,
        writer=_WRITER,
        version=ServiceLevels,
        summary=ServiceLevelsSummary,
        given=ServiceLevelsIn,
        put_given=InForceIn,
        unchangeable=LevelsInForce,
        out_of_order=LevelsOutOfOrder,
        in_force=handlers.in_force,
        list_versions=handlers.list_versions,
        show=handlers.show,
        draft=handlers.draft,
        put_in_force=handlers.put_in_force,
        get_told=Told("get_service_levels", "Show the service levels in force."),
        list_told=Told("list_service_level_versions", "List the county's own versions."),
        show_told=Told(
            "get_service_level_version", "Show a version; 0 is the suite's own, to begin from."
        ),
        draft_told=Told(
            "put_service_level_version", "Draft a version, or rewrite it while it is a draft."
        ),
        put_told=Told(
            "put_service_levels_in_force",
            "Let a version be in force from a day on, as a second person.",
        ),
    ),
)
