"""The processes that search for plans: killed, closed, fewer than what waits for them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from support.plans import HOME, SEARCHED, TUESDAY, finished, visits, visits_of, working_day
from support.work import centre, person

from huaxiao.dispatch.plans.running import Planners
from huaxiao.dispatch.tables import plans
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.plans import ApplyIn, PlanIn, PlanRoundIn, StartOf

ENDLESS = 10_000_000
_SEARCHING = """
import time
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plans.searching import Search, Searchers

if __name__ == "__main__":
    home = Place("home", 38.15, 114.57)
    orders = (Order("A", home, 60), Order("B", home, 60))
    problem = Problem((Engineer("W1", home, Window(480, 1020)),), orders)
    searchers = Searchers(1)
    running = searchers.begin(searchers.take(), Search(problem, None, 1, None, 10_000_000))
    while running.heard().iterations == 0:
        time.sleep(0.1)
    print(*searchers._pool._processes, flush=True)
    time.sleep(600)
"""


def is_there(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_processes_end_with_a_service_that_is_killed(tmp_path: Any) -> None:
    script = tmp_path / "searching.py"
    script.write_text(_SEARCHING)
    command = [sys.executable, script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        searching = [int(one) for one in service.stdout.readline().split()]
        service.kill()
    assert searching
    deadline = time.monotonic() + 10
    while any(is_there(one) for one in searching) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_there(one) for one in searching)


async def test_a_search_whose_process_is_killed_is_made_again(
    app: Any, staffed: Any, manager: Any, order: Any, planners: Planners
) -> None:
    name = await order("A", 1)
    endless = PlanIn(day=TUESDAY, centre_id="C1", iterations=ENDLESS)
    killed = await manager.ask_for_plan(staffed, endless)
    await searching(manager, staffed, killed.plan_id)
    (process,) = planners._searchers._pool._processes  # noqa: SLF001 - which one to kill
    os.kill(process, signal.SIGKILL)
    next_one = await manager.ask_for_plan(
        staffed, PlanIn(day=TUESDAY, centre_id="C1", iterations=SEARCHED)
    )
    plan = await finished(manager, staffed, next_one.plan_id)
    assert set(visits(plan)) == {name}
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            plans.update()
            .where(plans.c.branch_id == staffed, plans.c.plan_id == killed.plan_id)
            .values(lease_until=plans.c.asked_at)
        )
    planners.wake()
    await searching(manager, staffed, killed.plan_id)
    began = time.monotonic()
    await planners.close()
    assert time.monotonic() - began < 5


async def searching(manager: Any, branch_id: Any, plan_id: str) -> None:
    # How far it was is kept until it is begun with again.
    before = (await manager.plan(branch_id, plan_id)).progress.iterations
    while (await manager.plan(branch_id, plan_id)).progress.iterations in {0, before}:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def test_rounds_wait_for_the_processes_that_there_are(
    app: Any, staffed: Any, manager: Any, order: Any, planners: Any
) -> None:
    await neighbours(app, staffed, manager)
    await order("A", 1, priority=1)
    given = PlanRoundIn(day=TUESDAY, iterations=SEARCHED)
    rounds = [await manager.ask_for_plan_round(staffed, given) for _ in range(4)]
    for one in rounds:
        await finished(manager, staffed, one.together.plan_id)


async def neighbours(app: Any, staffed: Any, manager: Any) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        new = [centre(staffed, "C2", "town"), person(staffed, "V01", "C2")]
        await apply_contracts(connection, staffed, new)
    await manager.put_start_place(staffed, StartOf.CENTRE, "C2", HOME)
    await manager.put_shifts(staffed, "V01", working_day())


async def test_a_centre_without_a_plan_of_its_own_keeps_its_day_in_the_round(
    app: Any, staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    name = await order("A", 1, priority=4)
    plan = await planned()
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    await neighbours(app, staffed, manager)
    # Nobody is free to begin with the round before its first plan is stopped.
    endless = PlanIn(day=TUESDAY, centre_id="C1", iterations=ENDLESS)
    busy = await manager.ask_for_plan(staffed, endless)
    await searching(manager, staffed, busy.plan_id)
    asked = await manager.ask_for_plan_round(staffed, PlanRoundIn(day=TUESDAY, iterations=SEARCHED))
    first = next(one for one in asked.plans if one.centre_ids == ["C1"])
    stopped = await manager.stop_plan(staffed, first.plan_id)
    assert (stopped.state, stopped.failure) == ("failed", "stopped before it began")
    assert stopped.finished_at is not None
    await manager.stop_plan(staffed, busy.plan_id)
    together = await finished(manager, staffed, asked.together.plan_id)
    assert visits(together) == visits(plan)
    await manager.apply_plan(staffed, together.plan_id, ApplyIn())
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert visits_of(agenda) == {name: [visits(plan)[name]]}
