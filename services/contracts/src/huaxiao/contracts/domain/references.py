"""What must be known before something else can name it."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from http import HTTPStatus

from huaxiao.shared.problems import Fault, Problem


class UnknownReference(Problem):
    """The request names a centre, channel or person that is not registered."""

    code = "unknown-reference"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Something the request names is not registered"
    title_zh = "请求引用了尚未登记的对象"


class NotWorkingHere(Problem):
    """Somebody who is named does not work here on the day it is about; the faults say who."""

    code = "not-working-here"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Somebody named does not work here on that day"
    title_zh = "所列人员当日不在本分公司任职"


def repeated_faults(pointer: str, named: Iterable[str], member: str = "") -> Iterator[Fault]:
    """Yield the identifiers of a list that came before, each by its place in it."""
    seen: set[str] = set()
    for index, one in enumerate(named):
        if one in seen:
            place = f"{pointer}/{index}{member}"
            yield Fault(place, "repeated", f"{one} comes twice", f"{one} 重复")
        seen.add(one)


def require_working_here(
    named: Iterable[tuple[str, str]], placed: AbstractSet[str], day: date
) -> None:
    """Check that everybody named works here on a day; each comes behind the pointer to their place.

    Raises:
        NotWorkingHere: with a fault for each who does not.

    """
    faults = [
        Fault(
            pointer,
            "not-working-here",
            f"{person_id} does not work here on {day}",
            f"{person_id} 于 {day} 不在本分公司任职",
        )
        for pointer, person_id in named
        if person_id not in placed
    ]
    if faults:
        raise NotWorkingHere(faults=faults)


def require_known(named: Iterable[tuple[str, str]], known: AbstractSet[str]) -> None:
    """Check that every named identifier is known; each comes behind the pointer to its place.

    Raises:
        UnknownReference: with a fault for each that is not.

    """
    faults = [
        Fault(pointer, "unknown-reference", f"{named_id} is not registered", f"{named_id} 未登记")
        for pointer, named_id in named
        if named_id not in known
    ]
    if faults:
        raise UnknownReference(faults=faults)
