"""Following peers: the one way a service keeps up with the feeds of others while it runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Table

from huaxiao.shared.background import beside
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Apply, Follower
from huaxiao.shared.issuer import Issuer, service_tokens
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.web import Lifespan


def following(
    settings: ServiceSettings,
    database: Database,
    *,
    service: str,
    apply: Mapping[str, Apply],
    positions: Table,
) -> Lifespan:
    """Return a life of the app during which it follows its peers, named as ``/contracts``.

    Contracts says which branches there are; every peer's feed is followed for each of them.

    Raises:
        RuntimeError: the service is to follow others and has no key to sign its tokens with.

    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if not settings.follow:
            yield
            return
        if settings.signing_key_file is None:
            raise RuntimeError(
                f"{service.upper()}_SIGNING_KEY_FILE is needed to follow other services"
            )
        issuer = Issuer.from_file(settings.signing_key_file, issuer=settings.token_issuer)
        urls = {
            "/contracts": settings.contracts_url,
            "/attribution": settings.attribution_url,
            "/dispatch": settings.dispatch_url,
        }
        async with AsyncExitStack() as stack:

            async def connect(kind: type[ServiceClient], source: str) -> ServiceClient:
                token = service_tokens(issuer, service=service, audience=source.removeprefix("/"))
                return await stack.enter_async_context(kind(urls[source], token))

            registry = await connect(ContractsClient, "/contracts")
            assert isinstance(registry, ContractsClient)  # noqa: S101 - made just now
            followers = [
                Follower(source, await connect(ServiceClient, source), one, database, positions)
                for source, one in apply.items()
            ]
            async with beside(*(one.run(registry.branches) for one in followers)):
                yield

    return life
