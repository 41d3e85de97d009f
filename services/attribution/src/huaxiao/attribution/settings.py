"""Settings of the attribution service, from ``ATTRIBUTION_…``."""

from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the attribution service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="ATTRIBUTION_")
