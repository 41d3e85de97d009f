"""Write a service's next migration by comparing its tables with a scratch database.

Usage: ``python tools/new_migration.py SERVICE SLUG``.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from huaxiao.cli import embedded
from huaxiao.shared import migrations
from huaxiao.shared.provision import owner_role


def main(service: str, slug: str) -> None:
    """Start a scratch PostgreSQL, migrate it to the newest version, write the difference."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        postgres = embedded.start(Path(scratch) / "data")
        try:
            asyncio.run(embedded.create_database(postgres, embedded.DATABASE))
            url = postgres.url(owner_role(service)).render_as_string(hide_password=False)
            os.environ[f"{service.upper()}_MIGRATION_DATABASE_URL"] = url
            migrations.main(["revision", service, slug])
        finally:
            postgres.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
