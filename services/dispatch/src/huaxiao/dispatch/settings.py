"""Settings of the dispatch service, from ``DISPATCH_…``."""

from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the dispatch service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="DISPATCH_")
