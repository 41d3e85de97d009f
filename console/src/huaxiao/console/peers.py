"""The four services, asked with the token of whoever looks."""

from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import Self

import httpx
from typing_extensions import override

from huaxiao.console.language import spoken
from huaxiao.console.settings import Settings
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clients.kpi import KpiClient

_PROBE_SECONDS = 3.0
_token: ContextVar[str] = ContextVar("token", default="")


def ask_as(token: str) -> None:
    """Let this task ask the services with a token."""
    _token.set(token)


class _InTheirLanguage(httpx.AsyncBaseTransport):
    """Asks for refusals in the language of the page they will be shown on."""

    def __init__(self, through: httpx.AsyncBaseTransport) -> None:
        self._through = through

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Language"] = spoken()
        return await self._through.handle_async_request(request)

    @override
    async def aclose(self) -> None:
        await self._through.aclose()


class Peers:
    """Connections to the four services, for the life of the console.

    Connections and the budget of retries are everybody's; the token is of the task that asks.
    """

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare the clients; ``transport`` lets a test see what is asked."""
        self._urls = {
            "contracts": settings.contracts_url,
            "attribution": settings.attribution_url,
            "dispatch": settings.dispatch_url,
            "kpi": settings.kpi_url,
        }

        def through() -> httpx.AsyncBaseTransport:
            return _InTheirLanguage(transport or httpx.AsyncHTTPTransport())

        self.contracts = ContractsClient(settings.contracts_url, _token.get, transport=through())
        self.attribution = AttributionClient(
            settings.attribution_url, _token.get, transport=through()
        )
        self.dispatch = DispatchClient(settings.dispatch_url, _token.get, transport=through())
        self.kpi = KpiClient(settings.kpi_url, _token.get, transport=through())
        self._probes = httpx.AsyncClient(timeout=_PROBE_SECONDS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._probes.aclose)
            for client in self.by_name.values():
                stack.push_async_callback(client.close)

    @property
    def by_name(self) -> dict[str, ServiceClient]:
        """The services by name."""
        return {
            "contracts": self.contracts,
            "attribution": self.attribution,
            "dispatch": self.dispatch,
            "kpi": self.kpi,
        }

    async def ready(self, service: str) -> bool:
        """Say whether a service says of itself that it can serve requests."""
        try:
            answer = await self._probes.get(f"{self._urls[service].rstrip('/')}/readyz")
        except httpx.TransportError:
            return False
        return answer.is_success
