"""Routes of the county's own figures."""

from typing import Annotated

from huaxiao.kpi.figure_sets import handlers
from huaxiao.kpi.figure_sets.handlers import FiguresInForce, FiguresOutOfOrder
from huaxiao.kpi.readers import READERS, WRITERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.drafting_routes import Drafted, Told, add_routes, in_month
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.figures import (
    FigureSet,
    FigureSetIn,
    FigureSetSummary,
    FiguresInForceIn,
    NamedMeasure,
)

router = web.router(tags=["figures"])
_Reader = Annotated[Principal, READERS]
add_routes(
    router,
    Drafted(
        path="/figure-definitions",
        versions="/figure-definitions/versions",
        put="put-in-force",
        moment=in_month("in force in this month; the present one when absent"),
        reader=_Reader,
        writer=Annotated[Principal, WRITERS],
        version=FigureSet,
        summary=FigureSetSummary,
        given=FigureSetIn,
        put_given=FiguresInForceIn,
        unchangeable=FiguresInForce,
        out_of_order=FiguresOutOfOrder,
        in_force=handlers.in_force,
        list_versions=handlers.list_versions,
        show=handlers.show,
        draft=handlers.draft,
        put_in_force=handlers.put_in_force,
        get_told=Told(
            "get_figure_definitions",
            "Show the figures in force: the county's own, and the built-in ones.",
        ),
        list_told=Told("list_figure_definition_versions", "List the county's own versions."),
        show_told=Told(
            "get_figure_definition_version", "Show a version; 0 has the built-in figures alone."
        ),
        draft_told=Told(
            "put_figure_definition_version",
            "Draft a version, or rewrite it while it is a draft; a formula that cannot be computed is refused.",
        ),
        put_told=Told(
            "put_figure_definitions_in_force",
            "Let a version judge from a month on, as a second person.",
        ),
    ),
)


@router.get("/figure-definitions/measures", responses=web.problem_responses(Forbidden))
async def list_named_measures(
    branch_id: BranchId, connection: ReadTx, _: _Reader
) -> list[NamedMeasure]:
    """List the measures that formulas may name."""
    return await handlers.named_measures(connection, branch_id)
