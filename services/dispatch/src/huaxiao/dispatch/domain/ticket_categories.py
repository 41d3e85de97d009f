"""Categories of support tickets: who owes what is asked for (R18, R19).

``DEFAULT_CATEGORIES`` is the suite's own set: the five functions of the support centre, each with the
rule of who owes it. A county may put a set of its own in force.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.tickets import (
    Boundary,
    CategorySetIn,
    Circumstance,
    OwnerClause,
    OwnerRule,
    TicketCategory,
    Unit,
    UnitKind,
)

_SUPPORT = [OwnerClause(owner=OwnerRule.SUPPORT_CENTRE)]
DEFAULT_CATEGORIES = CategorySetIn(
    name_zh="综合服务支撑中心需求目录",
    categories=[
        TicketCategory(
            code="business_support",
            name="Business support and analysis",
            name_zh="经营支撑与经营分析",
            clauses=_SUPPORT,
        ),
        TicketCategory(
            code="complaint",
            name="Customer complaint",
            name_zh="客户投诉",
            clauses=[
                OwnerClause(
                    when=Circumstance.COMPANY_SERVICE_DECIDED, owner=OwnerRule.COMPANY_SERVICE
                ),
                OwnerClause(when=Circumstance.CENTRE_DECIDED, owner=OwnerRule.CUSTOMERS_CENTRE),
                *_SUPPORT,
            ],
            needs_boundary=True,
        ),
        TicketCategory(
            code="retention",
            name="Customer retention",
            name_zh="客户维系",
            clauses=[
                OwnerClause(when=Circumstance.CUSTOMER_IS_VIP, owner=OwnerRule.CITY_COMPANY),
                OwnerClause(owner=OwnerRule.CUSTOMERS_CENTRE),
            ],
            needs_vip=True,
        ),
        TicketCategory(
            code="joint_marketing", name="Joint marketing", name_zh="协同营销", clauses=_SUPPORT
        ),
        TicketCategory(
            code="it_coordination",
            name="IT coordination",
            name_zh="IT 支撑协调",
            clauses=_SUPPORT,
        ),
    ],
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket's circumstances; None is nobody, or not said."""

    support_centre_id: str | None
    centre_ids: frozenset[str] = frozenset()
    """The branch's centres: a rule may name one that is not there."""
    build_maintain_id: str | None = None
    customers_centre_id: str | None = None
    orders_centre_id: str | None = None
    customer_is_vip: bool | None = None
    boundary: Boundary | None = None


def owing_unit(clauses: Sequence[OwnerClause], facts: Facts) -> tuple[Unit, bool]:
    """Return who owes a ticket, by the first clause that applies, and whether the rule found them.

    Where it finds nobody the support centre's manager owes it, so that no ticket is nobody's.
    """
    clause = next((one for one in clauses if _applies(one.when, facts)), None)
    unit = None if clause is None else _unit(clause, facts)
    if unit is None:
        return Unit(kind=UnitKind.SUPPORT_MANAGER, centre_id=facts.support_centre_id), False
    return unit, True


def _applies(when: Circumstance, facts: Facts) -> bool:
    match when:
        case Circumstance.CUSTOMER_IS_VIP:
            return facts.customer_is_vip is True
        case Circumstance.COMPANY_SERVICE_DECIDED:
            return facts.boundary is Boundary.COMPANY_SERVICE
        case Circumstance.CENTRE_DECIDED:
            return facts.boundary is Boundary.CENTRE
        case _:
            return True


def _unit(clause: OwnerClause, facts: Facts) -> Unit | None:
    if clause.owner is OwnerRule.CITY_COMPANY:
        return Unit(kind=UnitKind.CITY_COMPANY)
    if clause.owner is OwnerRule.COMPANY_SERVICE:
        return Unit(kind=UnitKind.COMPANY_SERVICE)
    centre_id = {
        OwnerRule.SUPPORT_CENTRE: facts.support_centre_id,
        OwnerRule.BUILD_MAINTAIN_CENTRE: facts.build_maintain_id,
        OwnerRule.CUSTOMERS_CENTRE: facts.customers_centre_id,
        OwnerRule.ORDERS_CENTRE: facts.orders_centre_id,
        OwnerRule.NAMED_CENTRE: clause.centre_id,
    }[clause.owner]
    if centre_id is None or centre_id not in facts.centre_ids:
        return None
    return Unit(kind=UnitKind.CENTRE, centre_id=centre_id)


def category_faults(given: CategorySetIn) -> Iterator[Fault]:
    """Yield what is wrong with a version of the categories."""
    codes = Counter(one.code for one in given.categories)
    decided = {Circumstance.COMPANY_SERVICE_DECIDED, Circumstance.CENTRE_DECIDED}
    for index, category in enumerate(given.categories):
        place = f"/categories/{index}"
        if codes[category.code] > 1:
            yield Fault(f"{place}/code", "repeated", "the code comes twice", "编号重复")
        for number, clause in enumerate(category.clauses):
            pointer = f"{place}/clauses/{number}"
            if (clause.centre_id is None) == (clause.owner is OwnerRule.NAMED_CENTRE):
                yield Fault(
                    f"{pointer}/centre_id",
                    "centre-does-not-fit",
                    "a centre goes with named_centre, and only with it",
                    "仅 named_centre 须给出中心编号",
                )
            if clause.when in decided and not category.needs_boundary:
                yield Fault(
                    f"{pointer}/when",
                    "no-boundary",
                    "the category decides no boundary",
                    "该类别不界定投诉界面",
                )
            if clause.when is Circumstance.CUSTOMER_IS_VIP and not category.needs_vip:
                yield Fault(
                    f"{pointer}/when",
                    "vip-not-asked",
                    "the category does not ask whether the customer is a VIP",
                    "该类别不询问是否为 VIP 客户",
                )
