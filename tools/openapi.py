"""Write every service's OpenAPI document beside its code: ``python tools/openapi.py``."""

import json
from pathlib import Path

from huaxiao.cli.suite import service_at_rest
from huaxiao.shared.provision import SERVICES

PROJECT = Path(__file__).parents[1]


def document(service: str) -> str:
    """Return a service's OpenAPI document as it is committed; no database is touched."""
    app = service_at_rest(service)
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the documents."""
    for service in SERVICES:
        (PROJECT / "services" / service / "openapi.json").write_text(document(service))


if __name__ == "__main__":
    main()
