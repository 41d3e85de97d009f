"""Settings of the dispatch service, from ``DISPATCH_…``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the dispatch service needs to run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="DISPATCH_")

    attachments_directory: Path | None = Field(
        default=None, description="where photos and signatures are kept; without it none are taken"
    )
    attachment_max_bytes: int = Field(
        default=10 * 1024 * 1024, ge=1024, description="larger attachments are refused with 413"
    )
