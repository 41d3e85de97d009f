"""Contracts: the county's comes first, then each centre's; signing one binds its fields (R7, R21)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from huaxiao.contracts.domain.locks import Sealed, Subject
from huaxiao.contracts.domain.references import repeated_faults
from huaxiao.shared.periods import Period, periods_from, year_before
from huaxiao.shared.problems import Fault, Problem

COUNTY = "county"
CENTRE = "centre"


class ContractIsSigned(Sealed):
    """A signed contract does not change; the attempt has been recorded."""

    subject = Subject.CONTRACT
    code = "contract-signed"
    status = HTTPStatus.CONFLICT
    title = "The contract is signed and does not change"
    title_zh = "合同已签署，不可变更"


class CountyContractFirst(Problem):
    """A centre contracts inside a signed county contract whose term holds its own (R7)."""

    code = "county-contract-first"
    status = HTTPStatus.CONFLICT
    title = "The county contract of this term is not signed yet"
    title_zh = "该承包期的县级承包合同尚未签署"


class NotSignable(Problem):
    """The contract is not complete, or does not fit its fields."""

    code = "not-signable"
    status = HTTPStatus.CONFLICT
    title = "The contract cannot be signed as it stands"
    title_zh = "合同目前不能签署"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract as far as the rules of signing go."""

    contract_id: str
    level: str
    centre_id: str | None
    term_from: int
    term_to: int
    field_ids: tuple[str, ...] = ()
    base_periods: tuple[int, ...] = ()
    contractor_id: str | None = None
    member_ids: tuple[str, ...] = ()
    supports: bool = False
    """It agrees the performance pay of a unit that supports others, which has no field of its own."""

    def meets(self, other: "Agreement") -> bool:
        """Say whether the two bind the same party in some period."""
        same = (self.level, self.centre_id) == (other.level, other.centre_id)
        return same and self.term_from <= other.term_to and other.term_from <= self.term_to

    def holds(self, other: "Agreement") -> bool:
        """Say whether this is a county contract whose term holds the other's."""
        within = self.term_from <= other.term_from and other.term_to <= self.term_to
        return self.level == COUNTY and within


@dataclass(frozen=True, slots=True)
class FieldToSeal:
    """A field that a contract names."""

    field_id: str
    centre_id: str
    term_from: int
    term_to: int
    sealed_by: str | None = None
    """The contract that has sealed it."""
    review_of: str | None = None
    """The contract in whose review it is, or was sealed."""


def draft_faults(given: Agreement) -> Iterator[Fault]:
    """Yield what is wrong with a contract even as a draft."""
    if given.term_from > given.term_to:
        yield Fault(
            "/term_to", "bad-term", "the term ends before it begins", "承包期止早于承包期起"
        )
    if (given.level == CENTRE) != (given.centre_id is not None):
        yield Fault(
            "/centre_id",
            "bad-level",
            "a centre's contract names the centre, the county's names none",
            "中心级合同须填写中心，县级合同不得填写",
        )
    yield from repeated_faults("/field_ids", given.field_ids)
    yield from party_faults(given)


def party_faults(given: Agreement) -> Iterator[Fault]:
    """Yield what is wrong with the people of a contract."""
    yield from repeated_faults("/parties/member_ids", given.member_ids)
    if given.contractor_id in given.member_ids:
        yield Fault(
            "/parties/member_ids",
            "contractor-among-members",
            "the contractor signs for the members and is none of them",
            "承包人不列入承包组员",
        )


def require_signable(
    given: Agreement, fields: Mapping[str, FieldToSeal], signed: Sequence[Agreement]
) -> None:
    """Check a contract against its fields and the branch's signed contracts.

    Raises:
        CountyContractFirst: no signed county contract holds a centre's.
        NotSignable: anything else is missing or does not fit.

    """
    if given.level == CENTRE and not any(one.holds(given) for one in signed):
        raise CountyContractFirst
    faults = [*_faults_of_contract(given, signed), *_faults_of_fields(given, fields, signed)]
    if faults:
        raise NotSignable(faults=faults)


def _faults_of_contract(given: Agreement, signed: Sequence[Agreement]) -> Iterator[Fault]:
    for other in signed:
        if other.meets(given):
            yield Fault(
                "/term_from",
                "contract-overlap",
                f"{other.contract_id} is in force in this term",
                f"承包期内已有合同 {other.contract_id}",
            )
    term = periods_from(Period(given.term_from), Period(given.term_to))
    if sorted(given.base_periods) != [year_before(period) for period in term]:
        yield Fault(
            "/base",
            "bad-base",
            "the base has each month of the year before the term once",
            "承包基数须逐月对应承包期上一年同月",
        )
    if given.level == CENTRE and not given.field_ids and not given.supports:
        yield Fault("/field_ids", "missing", "a centre contracts for fields", "中心须承包责任田")
    yield from contractor_faults(given)


def contractor_faults(given: Agreement) -> Iterator[Fault]:
    """Yield that a centre's contract has no contractor."""
    if given.level == CENTRE and given.contractor_id is None:
        yield Fault(
            "/parties/contracting/represented_by",
            "missing",
            "a centre's contract names its contractor",
            "中心级合同须写明承包人",
        )


def _faults_of_fields(
    given: Agreement, fields: Mapping[str, FieldToSeal], signed: Sequence[Agreement]
) -> Iterator[Fault]:
    county = {one.contract_id for one in signed if one.level == COUNTY}
    for index, field_id in enumerate(given.field_ids):
        pointer = f"/field_ids/{index}"
        field = fields.get(field_id)
        if field is None:
            yield Fault(pointer, "unknown-reference", "there is no such field", "没有该责任田")
            continue
        if (field.term_from, field.term_to) != (given.term_from, given.term_to):
            yield Fault(pointer, "other-term", "the field has another term", "责任田承包期不一致")
        if given.level == CENTRE and field.centre_id != given.centre_id:
            yield Fault(pointer, "other-centre", "another centre's field", "责任田属于其他中心")
        if field.sealed_by is None and field.review_of not in {None, given.contract_id}:
            yield Fault(
                pointer,
                "field-in-review",
                f"{field.review_of} is in review with the field",
                f"责任田正随合同 {field.review_of} 审签",
            )
        # The county's contract may have sealed the fields that its centres then contract for.
        if field.sealed_by is not None and (given.level == COUNTY or field.sealed_by not in county):
            yield Fault(
                pointer,
                "field-sealed",
                f"{field.sealed_by} has sealed the field",
                f"责任田已由合同 {field.sealed_by} 锁定",
            )


def contract_document(
    branch_id: int,
    contract_id: str,
    contract: Mapping[str, Any],
    field_digests: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a contract's digest is taken of: its text, and its fields by their digests."""
    return {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "level": contract["level"],
        "centre_id": contract["centre_id"],
        "parties": contract["parties"],
        "term_from": contract["term_from"],
        "term_to": contract["term_to"],
        "terms": contract["terms"],
        "base": sorted(contract["base"], key=lambda month: month["period"]),
        "fields": [
            {"field_id": field_id, "digest": field_digests[field_id]}
            for field_id in sorted(field_digests)
        ],
    }
