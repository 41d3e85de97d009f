"""Routes of ticket categories."""

from typing import Annotated

from huaxiao.dispatch.ticket_categories import handlers
from huaxiao.dispatch.ticket_categories.handlers import CategoriesActive, CategoriesOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.drafting_routes import Drafted, OnDay, Told, add_routes
from huaxiao.shared.wire.tickets import (
    CategoryActivationIn,
    CategorySet,
    CategorySetIn,
    CategorySetSummary,
)

router = web.router(tags=["ticket categories"])
_READER = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_WRITER = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
add_routes(
    router,
    Drafted(
        path="/ticket-categories",
        versions="/ticket-category-sets",
        put="activate",
        moment=OnDay,
        reader=_READER,
        writer=_WRITER,
        version=CategorySet,
        summary=CategorySetSummary,
        given=CategorySetIn,
        put_given=CategoryActivationIn,
        unchangeable=CategoriesActive,
        out_of_order=CategoriesOutOfOrder,
        in_force=handlers.in_force,
        list_versions=handlers.list_versions,
        show=handlers.show,
        draft=handlers.draft,
        put_in_force=handlers.activate,
        get_told=Told(
            "get_ticket_categories",
            "Show the categories in force, and who owes what is asked for (R18).",
        ),
        list_told=Told("list_category_sets", "List the branch's own versions."),
        show_told=Told("get_category_set", "Show a version; 0 is the suite's own, to begin from."),
        draft_told=Told("put_category_set", "Draft a version, or rewrite it while it is a draft."),
        put_told=Told(
            "activate_category_set", "Let a version be in force from a day on, as a second person."
        ),
    ),
)
