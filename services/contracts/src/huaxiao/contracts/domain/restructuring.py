"""What a re-organisation changes of centres and channels, and what stands in its way (R20, R21)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from huaxiao.contracts.domain.organisation import (
    Belongings,
    ChannelSeal,
    Register,
    Remaining,
    held_on,
    seals_broken,
)
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.organisation import CentreRenamed, NewCentre, ReorganisationIn


@dataclass(frozen=True, slots=True)
class ChannelMove:
    """A channel that moves, or closes; and the seals that hold it."""

    channel_id: str
    from_centre_id: str
    to_centre_id: str | None
    seals: tuple[ChannelSeal, ...]


@dataclass(frozen=True, slots=True)
class Restructuring:
    """What a plan changes of centres and channels."""

    opened: tuple[NewCentre, ...]
    renamed: tuple[CentreRenamed, ...]
    closed: tuple[tuple[str, Remaining], ...]
    """Of each centre that closes what would still be there."""
    channels: tuple[ChannelMove, ...]

    @property
    def seals_broken(self) -> list[ChannelSeal]:
        """The seals that the moves would break."""
        return [seal for move in self.channels for seal in move.seals]

    @property
    def touches_sealed_field(self) -> bool:
        """Say whether a channel would leave its sealed field, or a centre its sealed fields."""
        return bool(self.seals_broken) or any(left.sealed_fields for _, left in self.closed)

    @property
    def not_closable(self) -> list[tuple[str, Remaining]]:
        """The centres that would close with something left in them."""
        return [(centre_id, left) for centre_id, left in self.closed if not left.is_empty]


def restructuring(plan: ReorganisationIn, register: Register) -> Restructuring:
    """Return what a plan changes of centres and channels, of a register as of the plan's day."""
    moves = tuple(_moves(plan, register))
    after = _belongings_after(plan, register.belongings)
    return Restructuring(
        opened=tuple(sorted(plan.centres, key=lambda one: one.centre_id)),
        renamed=tuple(_renamed(plan, register)),
        closed=tuple(
            (centre_id, register.remaining(centre_id, after))
            for centre_id in sorted(one.centre_id for one in plan.closed)
        ),
        channels=moves,
    )


def _moves(plan: ReorganisationIn, register: Register) -> Iterator[ChannelMove]:
    wanted: dict[str, str | None] = {one.channel_id: one.centre_id for one in plan.channels}
    wanted |= dict.fromkeys(one.channel_id for one in plan.closed_channels)
    for channel_id, to_centre_id in sorted(wanted.items(), key=lambda one: one[0]):
        home = held_on(register.channels[channel_id].homes, plan.from_day)
        if home is None or home.centre_id == to_centre_id:
            continue
        broken = tuple(seals_broken(register.seals, channel_id, to_centre_id))
        yield ChannelMove(channel_id, home.centre_id, to_centre_id, broken)


def _renamed(plan: ReorganisationIn, register: Register) -> Iterator[CentreRenamed]:
    for one in sorted(plan.renamed, key=lambda one: one.centre_id):
        state = held_on(register.centres[one.centre_id].states, plan.from_day)
        if state is None or (state.name, state.name_zh) == (one.name, one.name_zh):
            continue
        yield CentreRenamed(
            centre_id=one.centre_id,
            from_name=state.name,
            from_name_zh=state.name_zh,
            to_name=one.name,
            to_name_zh=one.name_zh,
        )


def _belongings_after(plan: ReorganisationIn, before: Belongings) -> Belongings:
    """Return what is where after a plan: whoever and whatever it does not name stays."""
    people = {one.person_id for one in plan.places} | {one.person_id for one in plan.leaving}
    moved = {one.channel_id for one in plan.channels}
    moved |= {one.channel_id for one in plan.closed_channels}
    return Belongings(
        people=frozenset(
            [
                *((there, code) for there, code in before.people if code not in people),
                *((one.centre_id, one.person_id) for one in plan.places),
                *(
                    (second.centre_id, one.person_id)
                    for one in plan.places
                    for second in one.concurrent
                ),
            ]
        ),
        channels=frozenset(
            [
                *((there, code) for there, code in before.channels if code not in moved),
                *((one.centre_id, one.channel_id) for one in plan.channels),
            ]
        ),
        contracts=before.contracts,
        sealed_fields=before.sealed_fields,
    )


def restructuring_faults(plan: ReorganisationIn, register: Register) -> Iterator[Fault]:
    """Yield what is wrong with what a plan says of centres and channels."""
    yield from _named_twice(plan)
    for kind, name, codes in _lists(plan):
        for index, code in enumerate(codes):
            pointer = f"/{name}/{index}/{kind}_id"
            if code not in (register.centres if kind == "centre" else register.channels):
                yield Fault(
                    pointer, "unknown-reference", f"there is no {kind} {code}", f"未知的编号 {code}"
                )
            elif not _continues(kind, code, plan, register):
                yield _not_open(pointer, code)
    closing_ids = {one.centre_id for one in plan.closed}
    for pointer, centre_id in named_centres(plan):
        life = register.centres.get(centre_id)
        if centre_id in closing_ids or (life is not None and not life.takes(plan.from_day)):
            yield _not_open(pointer, centre_id)


def named_centres(plan: ReorganisationIn) -> Iterator[tuple[str, str]]:
    """Yield every centre that is to have somebody or something, behind the pointer to its place."""
    for index, positions in enumerate(plan.positions):
        yield f"/positions/{index}/centre_id", positions.centre_id
    for index, place in enumerate(plan.places):
        yield f"/places/{index}/centre_id", place.centre_id
        for number, other in enumerate(place.concurrent):
            yield f"/places/{index}/concurrent/{number}/centre_id", other.centre_id
    for index, channel in enumerate(plan.channels):
        yield f"/channels/{index}/centre_id", channel.centre_id


def _lists(plan: ReorganisationIn) -> list[tuple[str, str, list[str]]]:
    """Return what a plan changes: of each list the kind of thing, its name, and the codes in it."""
    return [
        ("centre", "renamed", [one.centre_id for one in plan.renamed]),
        ("centre", "closed", [one.centre_id for one in plan.closed]),
        ("channel", "channels", [one.channel_id for one in plan.channels]),
        ("channel", "closed_channels", [one.channel_id for one in plan.closed_channels]),
    ]


def _continues(kind: str, code: str, plan: ReorganisationIn, register: Register) -> bool:
    """Say whether something is there on the plan's day, and is not known to close."""
    if kind == "centre":
        return register.centres[code].takes(plan.from_day)
    homes = register.channels[code].homes
    return held_on(homes, plan.from_day) is not None and homes[-1].open


def _named_twice(plan: ReorganisationIn) -> Iterator[Fault]:
    lists = _lists(plan)
    counted = Counter((kind, code) for kind, _, codes in lists for code in codes)
    for kind, name, codes in lists:
        for index, code in enumerate(codes):
            if counted[kind, code] > 1:
                yield Fault(
                    f"/{name}/{index}/{kind}_id",
                    "named-twice",
                    f"{code} is named more than once",
                    f"{code} 出现多次",
                )


def _not_open(pointer: str, code: str) -> Fault:
    return Fault(
        pointer,
        "not-open",
        f"{code} is closed then, or not open yet",
        f"{code} 届时已撤销或尚未开设",
    )
