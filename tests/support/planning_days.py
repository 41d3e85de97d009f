"""Small days with everything in them that planning knows, made up by Hypothesis."""

from hypothesis import strategies as st

from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Problem,
    Promise,
    Started,
    Window,
)
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.travel import Place, Table

SKILLS = ("install", "repair", "cable")
NAMES = tuple(f"W{number}" for number in range(5))


@st.composite
def days(draw: st.DrawFn) -> Problem:
    people = NAMES[: draw(st.integers(1, 5))]
    count = draw(st.integers(0, 14))
    size = count + len(people)
    rows = draw(
        st.lists(
            st.lists(st.integers(1, 60), min_size=size, max_size=size),
            min_size=size,
            max_size=size,
        )
    )
    ids = tuple(f"at-{number}" for number in range(size))
    table = Table(
        ids, tuple(tuple(0 if a == b else rows[a][b] for b in range(size)) for a in range(size))
    )
    now = draw(st.sampled_from([0, 0, 600]))
    engineers = tuple(
        _engineer(draw, name, Place(ids[count + number])) for number, name in enumerate(people)
    )
    orders = tuple(
        _order(draw, f"O{number}", Place(ids[number]), people, now) for number in range(count)
    )
    prices = Prices(unfair=draw(st.sampled_from([0, 5])))
    return Problem(engineers, orders, table, prices, now)


def _window(draw: st.DrawFn, low: int, high: int, widest: int) -> Window:
    opens = draw(st.integers(low, high))
    return Window(opens, opens + draw(st.integers(0, widest)))


def _engineer(draw: st.DrawFn, name: str, place: Place) -> Engineer:
    opens = draw(st.integers(420, 600))
    shift = Window(opens, opens + draw(st.integers(60, 600)))
    breaks = tuple(
        Break(_window(draw, low, low + 60, 90), draw(st.integers(5, 45)))
        for low in draw(st.sampled_from([(), (700,), (600, 900)]))
    )
    return Engineer(
        id=name,
        start=place,
        shift=shift,
        skills=draw(st.frozensets(st.sampled_from(SKILLS))),
        home=draw(st.sampled_from([None, place])),
        breaks=breaks,
        centre=draw(st.sampled_from(["C1", "C2"])),
        capacity=draw(st.sampled_from([None, 5])),
    )


def _order(draw: st.DrawFn, name: str, place: Place, people: tuple[str, ...], now: int) -> Order:
    promise = started = None
    crew = draw(st.sampled_from([1, 1, 1, 2, 3]))
    if draw(st.integers(0, 3)) == 0:
        told = draw(st.frozensets(st.sampled_from(people), min_size=1))
        promise = Promise(told, _window(draw, 480, 900, 120))
    if now and draw(st.integers(0, 4)) == 0:
        started = Started((draw(st.sampled_from(people)),), draw(st.integers(450, now)))
        crew = 1
    return Order(
        id=name,
        place=place,
        minutes=draw(st.integers(0, 90)),
        skills=draw(st.frozensets(st.sampled_from(SKILLS), max_size=1)),
        windows=tuple(
            _window(draw, 420, 1000, 200) for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3])))
        ),
        deadline=draw(st.one_of(st.none(), st.integers(500, 1000))),
        deadline_is_hard=draw(st.booleans()),
        priority=draw(st.integers(1, 4)),
        crew=crew,
        pinned_to=draw(st.sampled_from([None, None, None, people[0]])),
        forbidden=draw(st.sampled_from([frozenset[str](), frozenset({people[-1]})])),
        promise=promise,
        started=started,
        centre=draw(st.sampled_from([None, "C1"])),
        units=draw(st.integers(0, 3)),
    )
