"""Settings of the console, from ``CONSOLE_…``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from huaxiao.shared.settings import PeerSettings


class Settings(PeerSettings):
    """Where the four services answer, and how long a page may take. There is no database."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="CONSOLE_")

    kpi_url: str = Field(
        default="http://127.0.0.1:8104", description="where the kpi service answers"
    )
    claim_prefix: str = Field(
        default="",
        description="what stands before `roles`, `branch_ids`, `centre_ids`, `person_id` in tokens"
        " of the county's own issuer",
    )
    secure_cookies: bool = Field(
        default=False,
        description="send cookies over TLS only: true wherever the console is not on this machine",
    )
    request_seconds: float = Field(
        default=20.0, gt=0, description="time in which a page is answered"
    )
