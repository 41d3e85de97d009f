"""The KPI service as its callers see it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import httpx
from pydantic import BaseModel

from huaxiao.shared.clients.kpi_analysis import KpiAnalysisClient, moment_text
from huaxiao.shared.pages import MAX_PAGE
from huaxiao.shared.wire.figures import (
    Direction,
    FigureReport,
    FigureSet,
    FigureSetIn,
    FigureSetSummary,
    FiguresInForceIn,
    NamedMeasure,
)
from huaxiao.shared.wire.kpi import Definitions, Measure, Span, TargetReport
from huaxiao.shared.wire.kpi_entries import MeasureEntries
from huaxiao.shared.wire.kpi_history import FieldMeasure, Restatement
from huaxiao.shared.wire.unit_targets import (
    BackCastReport,
    Comparison,
    ProgressReport,
    UnitTarget,
    UnitTargetIn,
    WithdrawTargetIn,
)


class KpiClient(KpiAnalysisClient):
    """Asks the KPI service."""

    async def targets(
        self,
        branch_id: int,
        *,
        period: int,
        span: Span = Span.MONTH,
        known_at: datetime | None = None,
    ) -> TargetReport:
        """Return the targets of the county and its centres, as far as the caller may see them."""
        found: TargetReport = await self._get(
            TargetReport,
            f"/v1/branches/{branch_id}/targets",
            params={"period": period, "span": span, "known_at": moment_text(known_at)},
        )
        return found

    async def definitions(self, branch_id: int) -> Definitions:
        """Return what the figures mean."""
        found: Definitions = await self._get(Definitions, f"/v1/branches/{branch_id}/definitions")
        return found

    async def measures(
        self,
        branch_id: int,
        *,
        period: int | None = None,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> list[Measure]:
        """Return every measure the caller may see, page by page, by centre, month and name."""
        return await self._all(
            Measure,
            f"/v1/branches/{branch_id}/measures",
            params={"period": period, "centre_id": centre_id, "known_at": moment_text(known_at)},
        )

    async def field_measures(
        self,
        branch_id: int,
        *,
        period: int,
        field_id: str | None = None,
        known_at: datetime | None = None,
    ) -> list[FieldMeasure]:
        """Return a month's measures by responsibility field."""
        return await self._all(
            FieldMeasure,
            f"/v1/branches/{branch_id}/field-measures",
            params={"period": period, "field_id": field_id, "known_at": moment_text(known_at)},
        )

    async def restatements(
        self,
        branch_id: int,
        *,
        since: datetime,
        until: datetime | None = None,
        period: int | None = None,
        centre_id: str | None = None,
        measure: str | None = None,
    ) -> list[Restatement]:
        """Return what became known after a moment, by how much and from which entries."""
        return await self._all(
            Restatement,
            f"/v1/branches/{branch_id}/restatements",
            params={
                "since": moment_text(since),
                "until": moment_text(until),
                "period": period,
                "centre_id": centre_id,
                "measure": measure,
            },
        )

    async def measure_entries(
        self,
        branch_id: int,
        measure: str,
        *,
        period: int,
        centre_id: str,
        known_at: datetime | None = None,
        cursor: str | None = None,
        limit: int = MAX_PAGE,
    ) -> MeasureEntries:
        """Return a page of what a measure sums, and whether its owner's sum is the figure."""
        found: MeasureEntries = await self._get(
            MeasureEntries,
            f"/v1/branches/{branch_id}/measures/{measure}/entries",
            params={
                "period": period,
                "centre_id": centre_id,
                "known_at": moment_text(known_at),
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    async def figures(
        self,
        branch_id: int,
        *,
        period: int,
        span: Span = Span.MONTH,
        known_at: datetime | None = None,
    ) -> FigureReport:
        """Return what every figure in force comes to."""
        found: FigureReport = await self._get(
            FigureReport,
            f"/v1/branches/{branch_id}/figures",
            params={"period": period, "span": span, "known_at": moment_text(known_at)},
        )
        return found

    async def put_unit_target(
        self, branch_id: int, target_id: str, given: UnitTargetIn
    ) -> UnitTarget:
        """Draft a target of a unit, or rewrite it while it is a draft."""
        found: UnitTarget = await self._put(
            UnitTarget, f"/v1/branches/{branch_id}/unit-targets/{target_id}", given
        )
        return found

    async def confirm_unit_target(self, branch_id: int, target_id: str) -> UnitTarget:
        """Let a target hold, as a second person."""
        found: UnitTarget = await self._post(
            UnitTarget, f"/v1/branches/{branch_id}/unit-targets/{target_id}/confirm", None
        )
        return found

    async def withdraw_unit_target(
        self, branch_id: int, target_id: str, *, reason: str
    ) -> UnitTarget:
        """Let a target hold no more."""
        found: UnitTarget = await self._post(
            UnitTarget,
            f"/v1/branches/{branch_id}/unit-targets/{target_id}/withdraw",
            WithdrawTargetIn(reason=reason),
        )
        return found

    async def unit_targets(self, branch_id: int) -> list[UnitTarget]:
        """Return every target the caller may see."""
        return await self._all(UnitTarget, f"/v1/branches/{branch_id}/unit-targets")

    async def unit_target(self, branch_id: int, target_id: str) -> UnitTarget:
        """Return a target, who set it and when."""
        found: UnitTarget = await self._get(
            UnitTarget, f"/v1/branches/{branch_id}/unit-targets/{target_id}"
        )
        return found

    async def progress(
        self,
        branch_id: int,
        *,
        period: int,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> ProgressReport:
        """Return how far every target in force in a month is."""
        found: ProgressReport = await self._get(
            ProgressReport,
            f"/v1/branches/{branch_id}/progress",
            params={"period": period, "centre_id": centre_id, "known_at": moment_text(known_at)},
        )
        return found

    async def comparison(
        self,
        branch_id: int,
        *,
        period: int,
        span: Span = Span.MONTH,
        measure: str | None = None,
        figure: str | None = None,
        direction: Direction | None = None,
        known_at: datetime | None = None,
    ) -> Comparison:
        """Return a measure or figure of all units beside the year and the month before."""
        found: Comparison = await self._get(
            Comparison,
            f"/v1/branches/{branch_id}/comparisons",
            params={
                "period": period,
                "span": span,
                "measure": measure,
                "figure": figure,
                "direction": direction,
                "known_at": moment_text(known_at),
            },
        )
        return found

    async def back_cast(
        self,
        branch_id: int,
        *,
        period: int,
        span: Span = Span.MONTH,
        known_at: datetime | None = None,
    ) -> BackCastReport:
        """Return the year before of all units, like for like and as booked."""
        found: BackCastReport = await self._get(
            BackCastReport,
            f"/v1/branches/{branch_id}/back-cast",
            params={"period": period, "span": span, "known_at": moment_text(known_at)},
        )
        return found

    async def figure_definitions(self, branch_id: int, *, period: int | None = None) -> FigureSet:
        """Return the figures in force in a month, the present one if none is named."""
        found: FigureSet = await self._get(
            FigureSet,
            f"/v1/branches/{branch_id}/figure-definitions",
            params={"period": period},
        )
        return found

    async def named_measures(self, branch_id: int) -> list[NamedMeasure]:
        """Return what formulas may name."""
        found: list[NamedMeasure] = await self._get(
            list[NamedMeasure], f"/v1/branches/{branch_id}/figure-definitions/measures"
        )
        return found

    async def figure_versions(self, branch_id: int) -> list[FigureSetSummary]:
        """Return the county's own versions of figures."""
        return await self._all(
            FigureSetSummary, f"/v1/branches/{branch_id}/figure-definitions/versions"
        )

    async def figure_version(self, branch_id: int, version: int) -> FigureSet:
        """Return a version of figures; 0 has the built-in ones alone."""
        found: FigureSet = await self._get(
            FigureSet, f"/v1/branches/{branch_id}/figure-definitions/versions/{version}"
        )
        return found

    async def draft_figures(self, branch_id: int, version: int, given: FigureSetIn) -> FigureSet:
        """Draft a version of figures, or rewrite it while it is a draft."""
        found: FigureSet = await self._put(
            FigureSet, f"/v1/branches/{branch_id}/figure-definitions/versions/{version}", given
        )
        return found

    async def put_figures_in_force(
        self, branch_id: int, version: int, *, from_period: int
    ) -> FigureSet:
        """Let a version judge from a month on, as a second person."""
        found: FigureSet = await self._post(
            FigureSet,
            f"/v1/branches/{branch_id}/figure-definitions/versions/{version}/put-in-force",
            FiguresInForceIn(from_period=from_period),
        )
        return found


class FakeKpi(KpiClient):
    """Stands in for the KPI service: the client itself, over answers that a test has put in.

    So it has every call that the client has, and an answer is read as the service's own is.
    """

    def __init__(self, definitions: Definitions) -> None:
        """Start with what the figures mean, and no branch."""
        super().__init__("http://kpi", lambda: "", transport=httpx.MockTransport(self._answer))
        self._definitions = definitions
        self._branches: set[int] = set()
        self._answers: list[_PutIn] = []

    def put(self, report: TargetReport, measures: Sequence[Measure] = ()) -> None:
        """Put in a report, and all measures of its branch."""
        branch_id = report.branch_id
        self.put_answer(branch_id, "/definitions", self._definitions)
        asked = {"period": report.period, "span": report.span}
        self.put_answer(branch_id, "/targets", report, asked=asked)
        ordered = sorted(measures, key=lambda one: (one.centre_id, one.period, one.measure))
        self.put_answer(branch_id, "/measures", ordered)

    def put_answer(
        self,
        branch_id: int,
        path: str,
        answer: BaseModel | Sequence[BaseModel] | bytes,
        *,
        method: str = "GET",
        asked: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """Put in what a path below a branch answers, to whoever asks for at least ``asked``.

        A list that is read page by page is put in whole, and filtered by what it is asked for.
        """
        self._branches.add(branch_id)
        wanted = {name: str(value) for name, value in asked.items()}
        self._answers.append(_PutIn(method, f"/v1/branches/{branch_id}{path}", wanted, answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, dict(request.url.params)
        if not any(path.startswith(f"/v1/branches/{one}/") for one in self._branches):
            return httpx.Response(404, json={"code": "not-found"})
        # What was put in last prevails.
        for one in reversed(self._answers):
            if (one.method, one.path) == (
                request.method,
                path,
            ) and one.asked.items() <= asked.items():
                return httpx.Response(200, content=one.rendered(asked))
        raise LookupError(f"no answer to {request.method} {request.url} was put in")


@dataclass(frozen=True, slots=True)
class _PutIn:
    method: str
    path: str
    asked: Mapping[str, str]
    answer: BaseModel | Sequence[BaseModel] | bytes

    def rendered(self, asked: Mapping[str, str]) -> bytes:
        if isinstance(self.answer, bytes):
            return self.answer
        if isinstance(self.answer, BaseModel):
            return self.answer.model_dump_json().encode()
        items = [one.model_dump(mode="json") for one in self.answer]
        if "limit" not in asked:
            return json.dumps(items).encode()
        fitting = [
            one
            for one in items
            if all(str(one[name]) == value for name, value in asked.items() if name in one)
        ]
        return json.dumps({"items": fitting, "next_cursor": None}).encode()
