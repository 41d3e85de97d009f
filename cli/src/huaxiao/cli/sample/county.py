"""The organisation of the sample county: who is who, and which field is whose.

Real villages (``divisions/130123.csv``), invented people, customers and figures.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

from huaxiao.shared.wire.contracts import (
    CentreKind,
    ChannelKind,
    ChannelMode,
    Engagement,
    FieldKind,
    Segment,
    Skill,
)

BRANCH_ID = 130123
BRANCH_NAME_ZH = "云泽县分公司"
DEFAULT_CENTRE = "C0"
TERM_FROM = 201711
TERM_TO = 201810
TOWN_TOWNSHIPS = ("130123001", "130123002", "130123100")
"""The two streets and the county seat: the town centre's; the other townships are C2's."""


@dataclass(frozen=True)
class Village:
    """A village or residents' committee, by its 12-digit statistical code."""

    code: str
    name: str
    township: str


@dataclass(frozen=True)
class SampleCentre:
    """A unit of the branch."""

    centre_id: str
    kind: CentreKind
    name: str
    name_zh: str


@dataclass(frozen=True)
class SampleAssignment:
    """A person's position in a centre."""

    centre_id: str
    position: str
    primary: bool = True


@dataclass(frozen=True)
class SamplePerson:
    """Somebody who works here, by code."""

    person_id: str
    engagement: Engagement
    skills: tuple[Skill, ...]
    before: SampleAssignment
    """The place before the re-organisation."""
    assignments: tuple[SampleAssignment, ...]


@dataclass(frozen=True)
class SampleChannel:
    """A sales channel and the centre it belongs to."""

    channel_id: str
    kind: ChannelKind
    centre_id: str
    name_zh: str


@dataclass(frozen=True)
class SampleField:
    """A responsibility field and what it covers."""

    field_id: str
    kind: FieldKind
    centre_id: str
    name_zh: str
    address_prefixes: tuple[str, ...] = ()
    resource_prefixes: tuple[str, ...] = ()
    customers: tuple[tuple[str, Segment], ...] = ()
    channel_ids: tuple[str, ...] = ()
    channel_mode: ChannelMode | None = None


@dataclass(frozen=True)
class SampleContract:
    """A contract; ``centre_id`` is None for the county's."""

    contract_id: str
    centre_id: str | None
    contractor_id: str
    field_ids: tuple[str, ...]


@dataclass(frozen=True)
class County:
    """Everything that is registered before the first event."""

    branch_id: int
    name_zh: str
    villages: tuple[Village, ...]
    townships: tuple[tuple[str, str], ...]
    centres: tuple[SampleCentre, ...]
    persons: tuple[SamplePerson, ...]
    channels: tuple[SampleChannel, ...]
    fields: tuple[SampleField, ...]
    contracts: tuple[SampleContract, ...]

    def villages_of(self, centre_id: str) -> tuple[str, ...]:
        """Return the codes of the villages in a centre's regional fields."""
        return tuple(
            code
            for one in self.fields
            if one.centre_id == centre_id and one.kind is FieldKind.REGIONAL
            for code in one.address_prefixes
        )

    def own_headcount(self, centre_id: str) -> int:
        """Count a centre's own staff; a concurrent position counts no head."""
        return sum(
            person.engagement is Engagement.OWN
            and any(one.primary and one.centre_id == centre_id for one in person.assignments)
            for person in self.persons
        )


CENTRES = (
    SampleCentre("C0", CentreKind.DEFAULT, "Branch pool", "本部/游离"),
    SampleCentre("MG", CentreKind.MANAGEMENT, "Management", "管理层"),
    SampleCentre("SS", CentreKind.SUPPORT, "Support centre", "综合服务支撑中心"),
    SampleCentre("C1", CentreKind.TOWN, "Town centre", "县城营服中心"),
    SampleCentre("C2", CentreKind.TOWNSHIP, "Township centre", "乡镇营服中心"),
    SampleCentre("C3", CentreKind.OWN_HALL, "Own-hall centre", "自有厅营服中心"),
    SampleCentre("G1", CentreKind.ENTERPRISE, "Enterprise centre", "政企营服中心"),
    SampleCentre("B1", CentreKind.BUILD_MAINTAIN, "Build and maintain centre", "建设维护服务中心"),
)

_SELL = (Skill.SELL,)
_SALES_AND_SERVICE = (Skill.SELL, Skill.INSTALL, Skill.REPAIR)
_ENGINEER = (Skill.INSTALL, Skill.REPAIR, Skill.MAINTAIN)
_PLACES: dict[str, tuple[str, str, tuple[Skill, ...]]] = {
    "P01": ("C1", "contractor", _SALES_AND_SERVICE),
    "P02": ("C1", "member", _SALES_AND_SERVICE),
    "P03": ("C2", "contractor", _SALES_AND_SERVICE),
    "P04": ("C3", "contractor", _SELL),
    "P05": ("C3", "member", _SELL),
    "P06": ("C3", "member", _SELL),
    "P07": ("C3", "member", _SELL),
    "P08": ("C3", "member", _SELL),
    "P09": ("C1", "member", _SALES_AND_SERVICE),
    "P10": ("SS", "general_support_post", _SELL),
    "P11": ("C2", "member", _SALES_AND_SERVICE),
    "P12": ("G1", "contractor", _SELL),
    "P13": ("G1", "member", _SELL),
    "P14": ("G1", "member", _SELL),
    "P15": ("G1", "member", _SELL),
    "P16": ("C2", "member", _SALES_AND_SERVICE),
    "P17": ("SS", "general_support_post", ()),
    "P18": ("B1", "contractor", _ENGINEER),
    "P19": ("B1", "maintenance_engineer", _ENGINEER),
    "P20": ("B1", "maintenance_engineer", _ENGINEER),
    "P21": ("B1", "project_manager", _ENGINEER),
    "P22": ("C2", "member", _SALES_AND_SERVICE),
    "P23": ("SS", "general_support_post", ()),
    "P24": ("SS", "accountant_ledger_keeper", ()),
    "P25": ("SS", "cashier_storekeeper", ()),
    "P26": ("B1", "driver", (Skill.DRIVE,)),
    "P27": ("B1", "driver", (Skill.DRIVE,)),
    "P28": ("MG", "general_manager", ()),
    "P29": ("MG", "deputy_general_manager", ()),
    "W01": ("C1", "field_technician", _ENGINEER),
    "W02": ("C2", "field_technician", _ENGINEER),
    "W03": ("C2", "field_technician", _ENGINEER),
}
DEPARTMENTS = (
    SampleCentre("D1", CentreKind.DEPARTMENT, "Consumer marketing", "公众营销中心"),
    SampleCentre("D2", CentreKind.DEPARTMENT, "Joint marketing", "协同营销模块"),
    SampleCentre("D3", CentreKind.DEPARTMENT, "Enterprise customers", "政企客户中心"),
    SampleCentre("D4", CentreKind.DEPARTMENT, "Construction and maintenance", "建设维护中心"),
    SampleCentre("D5", CentreKind.DEPARTMENT, "General support", "综合支撑中心"),
)
"""The units before the division (R20): 10, 1, 6, 8 and 5 people, and two who manage."""

_BEFORE: dict[str, tuple[str, str]] = (
    {
        "P01": ("D1", "manager"),
        "P02": ("D1", "channel_manager"),
        "P03": ("D1", "channel_manager"),
        "P04": ("D1", "hall_manager"),
    }
    | dict.fromkeys(("P05", "P06", "P07", "P08"), ("D1", "hall_clerk"))
    | {
        "P09": ("D1", "fixed_line_specialist"),
        "P10": ("D1", "vip_retention"),
        "P11": ("D2", "co_marketing"),
        "P12": ("D3", "manager"),
        "P13": ("D3", "industry_account_manager"),
        "P14": ("D3", "industry_account_manager"),
        "P15": ("D3", "smb_account_manager"),
        "P16": ("D3", "smb_account_manager"),
        "P17": ("D3", "general_support_post"),
        "P18": ("D4", "manager"),
        "P19": ("D4", "maintenance_engineer"),
        "P20": ("D4", "maintenance_engineer"),
        "P21": ("D4", "project_manager"),
        "P22": ("D4", "project_manager"),
        "P23": ("D5", "manager"),
        "P24": ("D5", "accountant"),
        "P25": ("D5", "cashier"),
        "P26": ("D5", "driver"),
        "P27": ("D5", "driver"),
        "P28": ("MG", "general_manager"),
        "P29": ("MG", "deputy_general_manager"),
    }
    | dict.fromkeys(("W01", "W02", "W03"), ("D4", "field_technician"))
)
_CUSTOMERS_PER_FIELD = 40
_AGENTS_PER_CENTRE = 10


def sample_county() -> County:
    """Return the sample county."""
    townships, villages = _divisions()
    channels = _channels()
    fields = _fields(townships, villages)
    return County(
        branch_id=BRANCH_ID,
        name_zh=BRANCH_NAME_ZH,
        villages=villages,
        townships=townships,
        centres=CENTRES,
        persons=_persons(),
        channels=channels,
        fields=fields,
        contracts=_contracts(fields),
    )


def _divisions() -> tuple[tuple[tuple[str, str], ...], tuple[Village, ...]]:
    source = files("huaxiao.cli.sample").joinpath("divisions", f"{BRANCH_ID}.csv")
    rows = list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
    return (
        tuple((row["code"], row["name"]) for row in rows if row["level"] == "township"),
        tuple(
            Village(row["code"], row["name"], row["parent_code"])
            for row in rows
            if row["level"] == "village"
        ),
    )


def _persons() -> tuple[SamplePerson, ...]:
    persons = []
    for person_id, (centre_id, position, skills) in _PLACES.items():
        places = [SampleAssignment(centre_id, position)]
        if person_id == "P29":
            places.append(SampleAssignment("SS", "contractor", primary=False))
        engagement = Engagement.OUTSOURCED if person_id.startswith("W") else Engagement.OWN
        before = SampleAssignment(*_BEFORE[person_id])
        persons.append(SamplePerson(person_id, engagement, skills, before, tuple(places)))
    return tuple(persons)


def _channels() -> tuple[SampleChannel, ...]:
    halls = [
        SampleChannel(f"HALL-{number}", ChannelKind.OWN_HALL, "C3", f"自有厅{number}")
        for number in (1, 2)
    ]
    chains = [
        SampleChannel(f"CHAIN-{number}", ChannelKind.CHAIN_STORE, centre_id, f"连锁店{number}")
        for number, centre_id in ((1, "C1"), (2, "C1"), (3, "C2"))
    ]
    agents = [
        SampleChannel(
            f"AGENT-{centre_id}-{number:02}", ChannelKind.AGENT, centre_id, f"代理商{number}"
        )
        for centre_id in ("C1", "C2")
        for number in range(1, _AGENTS_PER_CENTRE + 1)
    ]
    others = [
        SampleChannel("DISTRICT-1", ChannelKind.BUSINESS_DISTRICT, "C1", "核心商圈"),
        SampleChannel("ONLINE-1", ChannelKind.ONLINE, "C0", "线上2I2C"),
    ]
    return (*halls, *chains, *agents, *others)


def _fields(
    townships: tuple[tuple[str, str], ...], villages: tuple[Village, ...]
) -> tuple[SampleField, ...]:
    regional = [
        SampleField(
            field_id=f"F-{code}",
            kind=FieldKind.REGIONAL,
            centre_id="C1" if code in TOWN_TOWNSHIPS else "C2",
            name_zh=name,
            address_prefixes=tuple(one.code for one in villages if one.township == code),
            resource_prefixes=(f"OLT-{code}",),
        )
        for code, name in townships
    ]
    names = {
        Segment.KEY_ACCOUNT: "清单大客",
        Segment.CLUSTER: "清单聚类市场",
        Segment.HIGH_VALUE_SMB: "清单高值商客",
        Segment.CAMPUS: "清单校园",
    }
    listed = [
        SampleField(
            field_id=f"F-{segment.value.upper().replace('_', '-')}",
            kind=FieldKind.CUSTOMER,
            centre_id="G1",
            name_zh=name,
            customers=tuple(
                (f"ENT-{segment.value.replace('_', '-')}-{number:03}", segment)
                for number in range(1, _CUSTOMERS_PER_FIELD + 1)
            ),
        )
        for segment, name in names.items()
    ]
    channel = [
        SampleField(
            field_id="F-HALLS",
            kind=FieldKind.CHANNEL,
            centre_id="C3",
            name_zh="自有厅",
            channel_ids=("HALL-1", "HALL-2"),
            channel_mode=ChannelMode.ISOLATED,
        ),
        SampleField(
            field_id="F-DISTRICT",
            kind=FieldKind.CHANNEL,
            centre_id="C1",
            name_zh="核心商圈",
            channel_ids=("DISTRICT-1",),
            channel_mode=ChannelMode.ISOLATED,
        ),
    ]
    return (*regional, *listed, *channel)


def _contracts(fields: tuple[SampleField, ...]) -> tuple[SampleContract, ...]:
    contractors = {"C1": "P01", "C2": "P03", "C3": "P04", "G1": "P12"}
    centres = [
        SampleContract(
            f"CT-2017-11-{centre_id}",
            centre_id,
            person_id,
            tuple(one.field_id for one in fields if one.centre_id == centre_id),
        )
        for centre_id, person_id in contractors.items()
    ]
    return (SampleContract("CT-2017-11-COUNTY", None, "P28", ()), *centres)
