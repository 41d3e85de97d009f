"""Settings every service reads from its environment, each under its own prefix.

``ATTRIBUTION_DATABASE_URL``, ``KPI_DATABASE_URL`` …: one environment can hold all four.
"""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from huaxiao.shared.auth import TrustedIssuer
from huaxiao.shared.structured import LogFormat


class PeerSettings(BaseSettings):
    """Where the services answer whose feeds others follow."""

    contracts_url: str = Field(
        default="http://127.0.0.1:8101", description="where the contracts service answers"
    )
    attribution_url: str = Field(
        default="http://127.0.0.1:8102", description="where the attribution service answers"
    )
    dispatch_url: str = Field(
        default="http://127.0.0.1:8103", description="where the dispatch service answers"
    )


class ServiceSettings(PeerSettings):
    """What a service needs to run. A subclass sets ``env_prefix`` and adds nothing lightly."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr = Field(
        description="postgresql://… as the service's own role, which owns nothing"
    )
    jwks_file: Path = Field(
        description="JWKS document with the public keys of the suite's own issuer"
    )
    token_issuer: str = Field(
        default="https://huaxiao.local",
        description="the `iss` of tokens that the keys of `jwks_file` sign",
    )
    trusted_issuers: tuple[TrustedIssuer, ...] = Field(
        default=(),
        description="other issuers, whose keys are fetched: a county's own OpenID Connect provider",
    )
    signing_key_file: Path | None = Field(
        default=None,
        description="private JWK with which this service signs its own short-lived tokens",
    )
    follow: bool = Field(
        default=True,
        description="run the followers of other services' feeds, and what else a service does by"
        " itself, in this process",
    )
    pool_size: int = Field(default=10, ge=1, le=100, description="database connections kept")
    max_body_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="larger request bodies are refused with 413"
    )
    max_concurrent: int = Field(
        default=64,
        ge=1,
        description="requests at work at a time; as many more may wait for a place",
    )
    max_queue_seconds: float = Field(
        default=1.0, ge=0, description="how long a request waits for a place before it gets 503"
    )
    request_seconds: float = Field(
        default=25.0,
        gt=0,
        description="time in which a request is answered; less than its callers and proxies wait",
    )
    caller_requests: int = Field(
        default=3000,
        ge=0,
        description="requests of one caller in a window, beyond which it gets 429; 0: no limit",
    )
    caller_window_seconds: float = Field(default=10.0, gt=0, description="that window")
    drain_seconds: float = Field(
        default=1.0,
        ge=0,
        description="how long a service that was told to stop is unready before it takes no more",
    )
    answer_days: int = Field(
        default=30,
        ge=1,
        description="days for which the answer given to an `Idempotency-Key` is kept; the key is"
        " known for ever",
    )
    trusted_proxies: frozenset[IPv4Network | IPv6Network] = Field(
        default=frozenset(),
        description="addresses and networks of proxies whose X-Forwarded-For says who asked",
    )
    log_format: LogFormat = Field(
        default=LogFormat.TEXT,
        description="text for people, or json: a line each, with its trace, and one for each request",
    )
    anchor_file: Path | None = Field(
        default=None,
        description="file outside the database to which the heads of the audit log are written"
        " every hour; without it nobody could tell that its tail was cut. Beside it erasures are"
        " listed, to be done again after a restore",
    )
