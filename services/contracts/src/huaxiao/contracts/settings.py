"""Settings of the contracts service, from ``CONTRACTS_…``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the contracts service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="CONTRACTS_")

    contract_template: Path | None = Field(
        default=None, description="the county's own text of a contract; the suite's when absent"
    )
    name_days: int = Field(
        default=365,
        ge=1,
        description="days for which the name of a lead's customer is kept once the lead is over",
    )
