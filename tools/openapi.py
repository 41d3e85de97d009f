"""Write every service's OpenAPI document beside its code: ``python tools/openapi.py``."""

import json
import tempfile
from pathlib import Path

from huaxiao.cli.suite import TOKEN_ISSUER, Keys, create_service
from huaxiao.shared.provision import SERVICES

PROJECT = Path(__file__).parents[1]


def document(service: str) -> str:
    """Return a service's OpenAPI document as it is committed; no database is touched."""
    with tempfile.TemporaryDirectory() as scratch:
        keys = Keys.under(Path(scratch))
        keys.issuer()
        app = create_service(
            service,
            {
                "database_url": "postgresql://nowhere/huaxiao",
                "jwks_file": keys.jwks,
                "token_issuer": TOKEN_ISSUER,
                "follow": False,
            },
        )
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the documents."""
    for service in SERVICES:
        (PROJECT / "services" / service / "openapi.json").write_text(document(service))


if __name__ == "__main__":
    main()
