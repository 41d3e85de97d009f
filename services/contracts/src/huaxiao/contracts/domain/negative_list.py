"""The negative list: what is not on it is allowed; what is, is named with the reason (R5)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.negative_list import (
    ATTRIBUTES,
    ActionKind,
    AttributeKind,
    Ban,
    Condition,
    NegativeEntry,
    NegativeListIn,
    Operator,
    Severity,
    Value,
)

_OPERATORS: dict[AttributeKind, set[Operator]] = {
    "boolean": {Operator.IS},
    "number": {Operator.IS, Operator.BELOW, Operator.ABOVE},
    "text": {Operator.MENTIONS},
}


class OnNegativeList(Problem):
    """What is asked for stands on the negative list; the entries it hits are named."""

    code = "on-negative-list"
    status = HTTPStatus.CONFLICT
    title = "This stands on the negative list"
    title_zh = "此项属于负面责任清单"


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody proposes to do."""

    kind: ActionKind
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the list says of an action."""

    hits: tuple[tuple[NegativeEntry, Ban], ...]
    open_questions: tuple[tuple[NegativeEntry, tuple[str, ...]], ...]
    """Entries that what was not said decides, and what that is."""

    @property
    def is_allowed(self) -> bool:
        """Say whether nothing forbids it, and nothing that might was left unsaid."""
        return not self.hits and not self.open_questions


def judge(action: Action, entries: Sequence[NegativeEntry]) -> Verdict:
    """Hold an action against the list.

    An entry hits by its first ban that holds. One of which no ban holds, but some might, leaves open
    the attributes that nobody stated.
    """
    hits: list[tuple[NegativeEntry, Ban]] = []
    questions: list[tuple[NegativeEntry, tuple[str, ...]]] = []
    for entry in entries:
        bans = [ban for ban in entry.bans if ban.action is action.kind]
        held = {index: _holds(ban, action.attributes) for index, ban in enumerate(bans)}
        hit = next((bans[index] for index, holds in held.items() if holds is True), None)
        if hit is not None:
            hits.append((entry, hit))
            continue
        undecided = [bans[index] for index, holds in held.items() if holds is None]
        unsaid = {name for ban in undecided for name in _unsaid(ban, action.attributes)}
        if unsaid:
            questions.append((entry, tuple(sorted(unsaid))))
    return Verdict(tuple(hits), tuple(questions))


def require_allowed(
    actions: Sequence[tuple[str, Action]], entries: Sequence[NegativeEntry]
) -> None:
    """Check actions, each behind the pointer to what would bring it about.

    Raises:
        OnNegativeList: with a fault for each entry that one of them hits.

    """
    faults = [
        Fault(
            pointer,
            entry.code,
            f"{entry.code}: {entry.name}{_named(ban)}",
            f"{entry.code}：{entry.name_zh}{_named(ban)}",
        )
        for pointer, action in actions
        for entry, ban in judge(action, entries).hits
    ]
    if faults:
        raise OnNegativeList(faults=faults, entries=sorted({fault.code for fault in faults}))


def _named(ban: Ban) -> str:
    words = [word for condition in ban.conditions for word in condition.words]
    return f" ({'、'.join(words)})" if words else ""


def _holds(ban: Ban, attributes: Mapping[str, Value]) -> bool | None:
    """Say whether all conditions hold; None while those that do not hold are only unsaid."""
    answers = [_compare(condition, attributes) for condition in ban.conditions]
    if False in answers:
        return False
    return None if None in answers else True


def _compare(condition: Condition, attributes: Mapping[str, Value]) -> bool | None:
    given = attributes.get(condition.attribute)
    if condition.operator is Operator.MENTIONS:
        return None if given is None else any(word in str(given) for word in condition.words)
    wanted = attributes.get(condition.other) if condition.other else condition.value
    if given is None or wanted is None:
        return None
    match condition.operator:
        case Operator.BELOW:
            return int(given) < int(wanted)
        case Operator.ABOVE:
            return int(given) > int(wanted)
        case _:
            return given == wanted


def _unsaid(ban: Ban, attributes: Mapping[str, Value]) -> Iterator[str]:
    for condition in ban.conditions:
        for name in (condition.attribute, condition.other):
            if name is not None and name not in attributes:
                yield name


# --- what can be wrong with a list, and with a question ------------------------------------------


def attribute_faults(action: Action) -> Iterator[Fault]:
    """Yield what is wrong with what was said of an action."""
    known = ATTRIBUTES[action.kind]
    for name, value in action.attributes.items():
        if name not in known:
            yield _unknown_attribute(f"/attributes/{name}", name, action.kind)
        elif not _fits(value, known[name]):
            yield _wrong_kind(f"/attributes/{name}", name, known[name])


def list_faults(given: NegativeListIn) -> Iterator[Fault]:
    """Yield what is wrong with a version of the list."""
    codes = Counter(entry.code for entry in given.entries)
    if sorted(one.severity for one in given.points) != sorted(Severity):
        yield Fault("/points", "not-each-once", "one range for A, B and C each", "A、B、C 各一档")
    for index, one in enumerate(given.points):
        if one.least > one.most:
            yield Fault(f"/points/{index}/most", "bad-range", "less than the least", "上限小于下限")
    for index, entry in enumerate(given.entries):
        if codes[entry.code] > 1:
            yield Fault(f"/entries/{index}/code", "repeated", "the code comes twice", "编号重复")
        for number, ban in enumerate(entry.bans):
            for place, condition in enumerate(ban.conditions):
                pointer = f"/entries/{index}/bans/{number}/conditions/{place}"
                yield from _condition_faults(pointer, ban.action, condition)


def _condition_faults(pointer: str, action: ActionKind, condition: Condition) -> Iterator[Fault]:
    known = ATTRIBUTES[action]
    kind = known.get(condition.attribute)
    if kind is None:
        yield _unknown_attribute(f"{pointer}/attribute", condition.attribute, action)
        return
    if condition.operator not in _OPERATORS[kind]:
        yield Fault(
            f"{pointer}/operator",
            "operator-does-not-fit",
            f"a {kind} is not compared by '{condition.operator}'",
            "该类属性不支持此比较",
        )
        return
    given = [condition.value is not None, condition.other is not None, bool(condition.words)]
    wants_words = condition.operator is Operator.MENTIONS
    if sum(given) != 1 or given[2] != wants_words:
        yield Fault(
            pointer,
            "one-operand",
            "a text is searched for words; all else is compared with a value or an attribute",
            "文本须给出词语，其余须给出一个值或另一属性",
        )
    elif condition.value is not None and not _fits(condition.value, kind):
        yield _wrong_kind(f"{pointer}/value", condition.attribute, kind)
    elif condition.other is not None and known.get(condition.other) != kind:
        yield _unknown_attribute(f"{pointer}/other", condition.other, action)


def _fits(value: Value, kind: AttributeKind) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _unknown_attribute(pointer: str, name: str, action: ActionKind) -> Fault:
    known = ", ".join(ATTRIBUTES[action]) or "nothing"
    return Fault(
        pointer,
        "unknown-attribute",
        f"{name} is not said of {action}: {known}",
        f"{action} 没有属性 {name}",
    )


def _wrong_kind(pointer: str, name: str, kind: AttributeKind) -> Fault:
    return Fault(pointer, "wrong-kind", f"{name} is a {kind}", f"{name} 的类型不符")
