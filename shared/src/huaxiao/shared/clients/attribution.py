"""Asks the attribution service, and reads its feed."""

from huaxiao.shared.clients.base import ServiceClient


class AttributionClient(ServiceClient):
    """A typed connection to the attribution service: its feed."""
