"""Problems as JSON: the same bytes in every process, whatever order its sets have there."""

import os
import subprocess
import sys

_TOLD = """
import json
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Promise, Window
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plans.documents import problem_document, problem_of

names = frozenset(f"W{number}" for number in range(9))
here = Place("home", 38.15, 114.57)
promise = Promise(names, Window(500, 560))
orders = (Order("A", here, 60, names, forbidden=names, promise=promise),)
problem = Problem((Engineer("W1", here, Window(480, 1020), names),), orders)
document = json.dumps(problem_document(problem))
assert problem_of(json.loads(document)) == problem
print(document)
"""


def test_equal_problems_are_equal_bytes_in_every_process() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", _TOLD],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert told[0]
    assert told == told[:1] * 3
