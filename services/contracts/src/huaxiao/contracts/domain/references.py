"""What must be known before something else can name it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from http import HTTPStatus

from huaxiao.shared.problems import Fault, Problem


class UnknownReference(Problem):
    """The request names a centre, channel or person that is not registered."""

    code = "unknown-reference"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Something the request names is not registered"
    title_zh = "请求引用了尚未登记的对象"


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
