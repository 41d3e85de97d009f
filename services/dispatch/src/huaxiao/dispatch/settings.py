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
    attachments_bucket: str | None = Field(
        default=None, description="the bucket of S3 where they are kept, instead of a directory"
    )
    attachments_endpoint: str | None = Field(
        default=None, description="https://… of another server than Amazon's that speaks S3"
    )
    attachments_region: str = Field(default="us-east-1", description="the bucket's region")
    attachments_access_key: str | None = Field(
        default=None, description="who reads and writes the bucket"
    )
    attachments_secret_file: Path | None = Field(
        default=None, description="a file with the secret that goes with the access key"
    )
    attachment_max_bytes: int = Field(
        default=10 * 1024 * 1024, ge=1024, description="larger attachments are refused with 413"
    )
    contact_days: int = Field(
        default=180,
        ge=1,
        description="days after an order is over for which its contact note, place and address are kept;"
        " of tickets and plans as well",
    )
    photo_days: int = Field(
        default=730,
        ge=1,
        description="days after an order is over for which what proves the work is kept: photos and"
        " signatures at a customer's, notes, where steps were taken; after a ticket is closed, what"
        " it says",
    )
    plan_workers: int = Field(
        default=1,
        ge=0,
        le=64,
        description="processes that search for plans; 0: this service only takes requests for them",
    )
    routing_url: str | None = Field(
        default=None,
        description="an OSRM-compatible table service, such as http://osrm:5000/table/v1/driving;"
        " without it travel times are the county's table, or by distance",
    )
