"""What state machines over real services stand on: a loop of their own, steps that are counted.

Hypothesis draws the steps and is not asynchronous; the services are. So each machine has an event
loop in a thread, in which its service, its clients and its database connections live.
"""

import itertools
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import httpx
import hypothesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import Phase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from huaxiao.cli.suite import create_service
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem, ServiceClient
from huaxiao.shared.issuer import Issuer

STEPS = int(os.environ.get("MACHINE_STEPS", "0"))
"""Steps of each machine that are asked for; 0: the few of ``make test``, always the same ones."""
_A_RUN = 50
_branches = itertools.count(530_001)
Client = TypeVar("Client", bound=ServiceClient)
Answer = TypeVar("Answer")


class Stage:
    """A service in a loop of its own, with its clients."""

    def __init__(self, portal: BlockingPortal, app: FastAPI, issuer: Issuer) -> None:
        self.app = app
        self.steps = 0
        self._portal = portal
        self._issuer = issuer

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Have something done in the service's loop."""

        async def awaited() -> Answer:
            return await work

        return self._portal.call(awaited)

    def make(self, maker: Callable[..., Any], *given: Any) -> Any:
        """Have something made, or ended, in the service's loop."""
        return self._portal.call(maker, *given)

    def attempt(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have something tried, and return what came of it: an answer, or the problem."""
        self.steps += 1
        try:
            return self.do(work)
        except PeerProblem as problem:
            return problem

    def client(
        self,
        made: type[Client],
        role: Role,
        branch_id: int,
        *,
        centre_id: str | None = None,
        person_id: str | None = None,
        app: FastAPI | None = None,
    ) -> Client:
        """Return a client for a branch, by role, centre and person; of a peer if one is named."""
        signed = self._issuer.token(
            f"test:{role}:{person_id or ''}",
            roles=[role],
            branch_ids=[branch_id],
            centre_ids=None if centre_id is None else [centre_id],
            person_id=person_id,
        )
        transport = httpx.ASGITransport(app=app or self.app)
        return made("http://service", lambda: signed, transport=transport)

    def http(self, role: Role, branch_id: int) -> httpx.AsyncClient:
        """Return a plain client for a branch."""
        signed = self._issuer.token(f"test:{role}:http", roles=[role], branch_ids=[branch_id])
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://service",
            headers={"Authorization": f"Bearer {signed}"},
        )

    @staticmethod
    def new_branch() -> int:
        """Return a branch that no other machine uses."""
        return next(_branches)


@contextmanager
def stage(service: str, settings: dict[str, Any], issuer: Issuer) -> Iterator[Stage]:
    with start_blocking_portal() as portal:
        app: FastAPI = portal.call(create_service, service, settings)
        try:
            yield Stage(portal, app, issuer)
        finally:
            portal.call(app.state.database.close)


def run(machine: Callable[[], RuleBasedStateMachine], on: Stage, *, quick: int) -> None:
    """Run a machine for about as many steps as are asked for, and say how many it took."""
    wanted = STEPS or quick
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", machine),
        settings=hypothesis.settings(
            max_examples=max(1, wanted // _A_RUN),
            stateful_step_count=_A_RUN,
            derandomize=not STEPS,
            database=None,
            deadline=None,
            print_blob=True,
            # To make a failure shorter takes minutes over a real service.
            phases=(Phase.generate,),
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
    print(f"{on.steps} steps")  # noqa: T201 - `make machines` shows how far it went
    assert on.steps >= wanted / 2  # some rules find nothing to do
