"""Settings of the attribution service, from ``ATTRIBUTION_…``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the attribution service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="ATTRIBUTION_")

    quarantine_days: int = Field(
        default=180,
        ge=1,
        description="days for which bodies of held events are kept once nobody waits for them",
    )
