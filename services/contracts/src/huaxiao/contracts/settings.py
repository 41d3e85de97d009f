"""Settings of the contracts service, from ``CONTRACTS_…``."""

from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the contracts service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="CONTRACTS_")
