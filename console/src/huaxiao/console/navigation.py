"""Which pages a role is offered: those all of whose questions the services permit it (docs/permissions.md)."""

from dataclasses import dataclass

from huaxiao.console.visitors import Visitor
from huaxiao.shared.auth import Role

_COUNTY = frozenset({Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.AUDITOR})
KNOWS_NAMES = _COUNTY | {Role.CONTRACTOR}
"""Who may read the organisation, and so sees names beside codes."""
LEARNS_NAMES_FROM_KPI = frozenset({Role.SUPPORT_CENTRE})
"""Who may not, and is told in the targets what centres are called."""
SEES_LAGS = _COUNTY
MENDS = frozenset({Role.BSS_SOURCE, Role.SERVICE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE})
"""Who sees what lies in quarantine, and tries it again; a sending system, what it sent itself."""
SEES_COMPLETENESS = _COUNTY | {Role.BSS_SOURCE}
READS_PLANS = frozenset(
    {*(Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR), Role.COUNTY_FINANCE, Role.AUDITOR}
)
"""Who may read plans of a day; a contractor, those of its centre."""
TRIES_RULES = _COUNTY
"""Who may ask what other rules or fields would change, and reads both."""


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the navigation."""

    name: str
    """Its path below the branch."""
    title_zh: str
    title: str
    icon: str
    roles: frozenset[Role]


SECTIONS = (
    Section(
        "targets",
        *("三大目标", "Targets", "gauge"),
        _COUNTY | {Role.CONTRACTOR, Role.SUPPORT_CENTRE},
    ),
    Section(
        "orders",
        *("工单看板", "Orders", "board"),
        frozenset(
            {
                *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR),
                *(Role.ENGINEER, Role.SUPPORT_CENTRE, Role.AUDITOR),
            }
        ),
    ),
    Section(
        "revenue",
        *("收入归属", "Revenue", "scale"),
        _COUNTY | {Role.CONTRACTOR, Role.SUPPORT_CENTRE},
    ),
    Section("statements", *("结算单", "Statements", "page"), _COUNTY | {Role.CONTRACTOR}),
    Section("fields", *("责任田", "Fields", "tree"), _COUNTY | {Role.CONTRACTOR}),
    Section(
        "appraisals",
        *("考核评价", "Appraisals", "star"),
        frozenset(
            {
                *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR),
                *(Role.ENGINEER, Role.SUPPORT_CENTRE, Role.AUDITOR),
            }
        ),
    ),
    Section(
        "tickets",
        *("需求单", "Tickets", "bell"),
        _COUNTY | {Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE},
    ),
    Section("quarantine", *("隔离区", "Quarantine", "tray"), MENDS),
    Section("operations", *("运行状况", "Operations", "pulse"), frozenset(Role)),
)


_FIRST = {Role.SUPPORT_CENTRE: "tickets", Role.ENGINEER: "orders"}
"""Where those begin whose work is not in the first section they are offered."""


def first_of(visitor: Visitor) -> Section | None:
    """Return the section with which a visitor begins; None for those who are offered nothing."""
    sections = offered(visitor)
    wanted = {name for role, name in _FIRST.items() if visitor.roles == {role}}
    return next((one for one in sections if one.name in wanted), next(iter(sections), None))


def offered(visitor: Visitor) -> list[Section]:
    """Return the sections a visitor is offered, in order."""
    return [one for one in SECTIONS if visitor.may(*one.roles)]


def section(name: str) -> Section:
    """Return a section by its name."""
    return next(one for one in SECTIONS if one.name == name)
