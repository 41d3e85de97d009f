"""Problems and plans as JSON, so that a plan can be made again from what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from huaxiao.dispatch.domain.planning.changing import Changed
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Plan, Problem
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.travel import Areas, GreatCircle, Table, Travel


@dataclass(frozen=True)
class _Parts:
    """What a problem is made of, but for its travel times, which come in several kinds."""

    engineers: tuple[Engineer, ...]
    orders: tuple[Order, ...]
    prices: Prices
    now: int


_PARTS = TypeAdapter(_Parts)
_PLAN = TypeAdapter(Plan)
_TRAVEL: Mapping[str, TypeAdapter[Any]] = {
    "distance": TypeAdapter(GreatCircle),
    "table": TypeAdapter(Areas),
    "router": TypeAdapter(Table),
}
_KINDS: Mapping[type[Any], str] = {GreatCircle: "distance", Areas: "table", Table: "router"}


def travel_source(travel: Travel) -> str:
    """Return where travel times are from: ``distance``, ``table`` or ``router``."""
    return _KINDS[type(travel)]


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON."""
    kind = travel_source(problem.travel)
    parts = _Parts(problem.engineers, problem.orders, problem.prices, problem.now)
    document: dict[str, Any] = _sorted(_PARTS.dump_python(parts, mode="json"))
    document["travel"] = {"kind": kind, **_TRAVEL[kind].dump_python(problem.travel, mode="json")}
    return document


def problem_of(document: Mapping[str, Any]) -> Problem:
    """Return the problem that a document holds."""
    parts = _PARTS.validate_python(
        {name: value for name, value in document.items() if name != "travel"}
    )
    travel = _TRAVEL[document["travel"]["kind"]].validate_python(
        {name: value for name, value in document["travel"].items() if name != "kind"}
    )
    return Problem(parts.engineers, parts.orders, travel, parts.prices, parts.now)


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON."""
    document: dict[str, Any] = _PLAN.dump_python(plan, mode="json")
    return document


def plan_of(document: Mapping[str, Any]) -> Plan:
    """Return the plan that a document holds."""
    return _PLAN.validate_python(document)


def changed_of(row: Mapping[str, Any]) -> Changed:
    """Return the problem and the plan of a row that has both."""
    return Changed(problem_of(row["problem"]), plan_of(row["result"]))


def _sorted(document: dict[str, Any]) -> dict[str, Any]:
    """Return a problem as JSON with the order of sets made certain: equal problems are equal bytes."""
    for one in document["engineers"]:
        one["skills"] = sorted(one["skills"])
    for one in document["orders"]:
        one["skills"], one["forbidden"] = sorted(one["skills"]), sorted(one["forbidden"])
        if one["promise"] is not None:
            one["promise"]["engineers"] = sorted(one["promise"]["engineers"])
    return document
