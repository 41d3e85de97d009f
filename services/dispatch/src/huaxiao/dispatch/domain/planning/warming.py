"""Compile the search, so that the first plan need not wait for it.

``python -m huaxiao.dispatch.domain.planning.warming`` leaves the machine code where numba keeps it.
"""

from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.travel import Place


def warm() -> int:
    """Plan a day of two visits; return how many of them were planned."""
    here, there = Place("here", 38.15, 114.57), Place("there", 38.16, 114.58)
    problem = Problem(
        (Engineer("W1", here, Window(480, 1020)),),
        (Order("A", there, 60), Order("B", there, 60)),
    )
    return len(plan(problem, seed=1, iterations=2).visits)


if __name__ == "__main__":
    warm()
