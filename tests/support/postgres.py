"""One real PostgreSQL for the whole test run, one prepared database for each worker."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import fasteners

from huaxiao.cli import embedded


@dataclass(frozen=True)
class PreparedDatabase:
    """A worker's own database with every service's schema in it."""

    postgres: embedded.EmbeddedPostgres
    name: str

    def url(self, role: str) -> str:
        return self.postgres.url(role, self.name).render_as_string(hide_password=False)


def prepare_worker_database(worker: str, run: str) -> PreparedDatabase:
    home = Path(tempfile.gettempdir()) / f"huaxiao-tests-{os.getuid()}-{run}"
    home.mkdir(mode=0o755, exist_ok=True)
    name = f"tests_{worker}"
    with fasteners.InterProcessLock(home / "preparing.lock"):
        postgres = embedded.start(home)
        embedded.prepare(postgres, name)
    return PreparedDatabase(postgres, name)
