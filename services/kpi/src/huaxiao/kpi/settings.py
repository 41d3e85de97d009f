"""Settings of the KPI service, from ``KPI_…``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the KPI service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="KPI_")

    forecast_workers: int = Field(
        default=1, ge=1, le=64, description="processes that fit the models of forecasts"
    )
    webhook_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="hosts, as `name` or `name:port`, that webhooks may lead to though they are"
        " inside or without TLS",
    )
