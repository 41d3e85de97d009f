"""Settings of the KPI service, from ``KPI_…``."""

from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the KPI service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="KPI_")
