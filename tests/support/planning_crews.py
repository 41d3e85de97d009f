"""Small works with everything in them that crew planning knows, made up by Hypothesis."""

from hypothesis import strategies as st

from huaxiao.dispatch.domain.planning.crews.model import CrewProblem, Need, Person, WorkOrder

DOMAINS = ("splice", "duct", "pole")


@st.composite
def works(draw: st.DrawFn) -> CrewProblem:
    people = tuple(
        Person(
            f"W{number}",
            {one: draw(st.integers(0, 3)) for one in DOMAINS},
            frozenset(draw(st.sets(st.integers(0, 4), max_size=3))),
        )
        for number in range(draw(st.integers(0, 5)))
    )
    names = [f"O{number}" for number in range(draw(st.integers(0, 12)))]
    orders = tuple(
        WorkOrder(
            id=name,
            minutes=draw(st.sampled_from([30, 60, 100, 120, 130])),
            needs=tuple(
                Need(domain, draw(st.integers(1, 3)), draw(st.integers(1, 3)))
                for domain in draw(st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=3))
            ),
            priority=draw(st.integers(1, 4)),
            after=frozenset(draw(st.sets(st.sampled_from(names[:at]), max_size=2)) if at else ()),
            contract=draw(st.sampled_from([None, 0, 10, 30])),
        )
        for at, name in enumerate(names)
    )
    return CrewProblem(
        people,
        tuple(draw(st.permutations(orders))),
        day_minutes=120,
        days=draw(st.sampled_from([None, 0, 1, 3])),
        budget=draw(st.sampled_from([0, 30, 100])),
    )
