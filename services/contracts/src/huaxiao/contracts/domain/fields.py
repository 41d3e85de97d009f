"""Responsibility fields (责任田): how they are drawn, and that they stay as they are once sealed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from huaxiao.contracts.domain.locks import Sealed, Subject
from huaxiao.contracts.domain.references import repeated_faults
from huaxiao.shared.addresses import contains
from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.contracts import FieldKind


class FieldIsSealed(Sealed):
    """A field does not change within its contract's term (R21); the attempt has been recorded."""

    subject = Subject.FIELD
    code = "field-sealed"
    status = HTTPStatus.CONFLICT
    title = "The field is sealed for its contract's term"
    title_zh = "责任田在承包期内已锁定，不可变更"


class FieldOverlap(Problem):
    """What this field covers is already sealed under another field for some of the term (R8)."""

    code = "field-overlap"
    status = HTTPStatus.CONFLICT
    title = "The field overlaps another one"
    title_zh = "责任田与其他责任田重叠"


def field_overlap(field_id: str, other_field_ids: Sequence[str]) -> FieldOverlap:
    """Return the refusal to seal a field over others."""
    named = "、".join(other_field_ids)
    return FieldOverlap(
        f"{field_id} overlaps {', '.join(other_field_ids)}.",
        f"{field_id} 与 {named} 重叠。",
        field_ids=[field_id, *other_field_ids],
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A field as far as the rules of drawing go."""

    kind: FieldKind
    term_from: int
    term_to: int
    address_prefixes: tuple[str, ...] = ()
    resource_prefixes: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    channel_ids: tuple[str, ...] = ()
    has_channel_mode: bool = False


_OWN_LISTS = {
    FieldKind.REGIONAL: "address_prefixes",
    FieldKind.CUSTOMER: "customers",
    FieldKind.CHANNEL: "channel_ids",
}
_OF_KIND = {"resource_prefixes": FieldKind.REGIONAL, "channel_mode": FieldKind.CHANNEL} | {
    name: kind for kind, name in _OWN_LISTS.items()
}


def drawing_faults(branch_id: int, drawing: Drawing) -> Iterator[Fault]:
    """Yield what is wrong with a field as drawn."""
    if drawing.term_from > drawing.term_to:
        yield Fault(
            "/term_to", "bad-term", "the term ends before it begins", "承包期止早于承包期起"
        )
    yield from _faults_of_kind(drawing)
    yield from _faults_of_prefixes(branch_id, drawing.address_prefixes)
    yield from _faults_of_overlap("resource_prefixes", drawing.resource_prefixes)
    yield from repeated_faults("/scope/customers", drawing.customer_ids, "/customer_id")
    yield from repeated_faults("/scope/channel_ids", drawing.channel_ids)


def _faults_of_kind(drawing: Drawing) -> Iterator[Fault]:
    present = {
        "address_prefixes": bool(drawing.address_prefixes),
        "resource_prefixes": bool(drawing.resource_prefixes),
        "customers": bool(drawing.customer_ids),
        "channel_ids": bool(drawing.channel_ids),
        "channel_mode": drawing.has_channel_mode,
    }
    needed = {_OWN_LISTS[drawing.kind]}
    if drawing.kind is FieldKind.CHANNEL:
        needed.add("channel_mode")
    for name, there in present.items():
        if name in needed and not there:
            yield Fault(
                f"/scope/{name}",
                "missing",
                f"a {drawing.kind} field needs it",
                "该类责任田必须填写此项",
            )
        if there and _OF_KIND[name] is not drawing.kind:
            yield Fault(
                f"/scope/{name}",
                "not-of-this-kind",
                f"a {drawing.kind} field has none",
                "该类责任田不得填写此项",
            )


def _faults_of_prefixes(branch_id: int, prefixes: Sequence[str]) -> Iterator[Fault]:
    for index, prefix in enumerate(prefixes):
        if not contains(str(branch_id), prefix):
            yield Fault(
                f"/scope/address_prefixes/{index}",
                "outside-branch",
                f"{prefix} does not lie in {branch_id}",
                f"{prefix} 不在 {branch_id} 辖区内",
            )
    yield from _faults_of_overlap("address_prefixes", prefixes)


def _faults_of_overlap(name: str, prefixes: Sequence[str]) -> Iterator[Fault]:
    for one, following in pairwise(sorted(prefixes)):
        if following.startswith(one):
            yield Fault(
                f"/scope/{name}",
                "overlapping-prefixes",
                f"{one} already contains {following}",
                f"{one} 已包含 {following}",
            )


def field_document(branch_id: int, field_id: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a field's digest is taken of: all of it, lists in one order."""
    scope = dict(field["scope"])
    for name in ("address_prefixes", "resource_prefixes", "channel_ids"):
        scope[name] = sorted(scope[name])
    scope["customers"] = sorted(scope["customers"], key=lambda customer: customer["customer_id"])
    return {
        "branch_id": branch_id,
        "field_id": field_id,
        "kind": field["kind"],
        "centre_id": field["centre_id"],
        "name_zh": field["name_zh"],
        "term_from": field["term_from"],
        "term_to": field["term_to"],
        "scope": scope,
    }
