"""Each service in turn, to be asked by whoever may do everything."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.asking import Asking

from huaxiao.cli.suite import create_service
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer

Asker = Callable[[str], Any]


@pytest.fixture
def asking(settings_for: Callable[[str], dict[str, Any]], issuer: Issuer, branch_id: int) -> Asker:
    token = issuer.token("odd", roles=list(Role), branch_ids=[branch_id], person_id="P1")

    @asynccontextmanager
    async def begun(service: str) -> AsyncIterator[Asking]:
        app = create_service(service, settings_for(service))
        made = Asking(app, token, branch_id)
        try:
            yield made
        finally:
            await made.close()
            await app.state.database.close()

    return begun
