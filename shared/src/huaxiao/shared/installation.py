"""What an installation does before its services start: make secrets, then roles and schemas.

``python -m huaxiao.shared.installation secrets`` makes what is not there yet, one folder for each
reader, so that a service can be given its own and nothing else:

- ``postgres/password``: the superuser's, for the database server;
- ``operator/``: every role's password, and the key that signs people's tokens;
- ``<service>/``: the service role's password (``pgpass``) and the service's own signing key;
- ``public/jwks.json``: the public halves of all those keys, which every service trusts.

``… database`` makes roles and schemas as superuser and migrates each schema as its owner, with
``--citus`` over several machines; ``… token`` prints a token for a person. All of it may run again: nothing that exists is replaced.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from huaxiao.shared import distributing, migrations
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer, new_private_jwk
from huaxiao.shared.provision import SERVICES, owner_role, provision

SUPERUSER = "postgres"
_PASSWORD_BYTES = 32
_PRIVATE, _PUBLIC = 0o600, 0o444


def make_secrets(root: Path, *, new_passwords: bool = False) -> None:
    """Write every secret that is missing, and what follows from them, under a folder.

    With ``new_passwords`` all roles get new ones, as soon as the database is prepared again; but not
    the superuser, as whom it is prepared.
    """
    operator = root / "operator"
    held = operator / "passwords.json"
    passwords: dict[str, str] = json.loads(held.read_text()) if held.exists() else {}
    if new_passwords:
        passwords = {role: one for role, one in passwords.items() if role == SUPERUSER}
    roles = [SUPERUSER, *SERVICES, *(owner_role(service) for service in SERVICES)]
    for role in roles:
        passwords.setdefault(role, secrets.token_urlsafe(_PASSWORD_BYTES))
    _write(held, json.dumps(passwords), _PRIVATE)
    _write(operator / "pgpass", _pgpass(passwords, roles), _PRIVATE)
    # Its reader is the server's own user, whatever number that has; only the server is given it.
    _write(root / "postgres" / "password", passwords[SUPERUSER], _PUBLIC)

    signers: dict[Path, str | None] = {operator: None}
    signers |= {root / service: service for service in SERVICES}
    for service in SERVICES:
        _write(root / service / "pgpass", _pgpass(passwords, [service]), _PRIVATE)
    for folder in signers:
        if not (folder / "signing.jwk").exists():
            _write(folder / "signing.jwk", json.dumps(new_private_jwk()), _PRIVATE)
    public = [
        key
        for folder, service in signers.items()
        for key in Issuer.from_file(folder / "signing.jwk", issuer="").public_jwks(
            only_service=service
        )["keys"]
    ]
    _write(root / "public" / "jwks.json", json.dumps({"keys": public}), _PUBLIC)


def _pgpass(passwords: dict[str, str], roles: Sequence[str]) -> str:
    return "".join(f"*:*:*:{role}:{passwords[role]}\n" for role in roles)


def _write(path: Path, content: str, mode: int) -> None:
    """Put a file in place whole, readable from its first moment by those who may and no others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


def passwords_under(root: Path) -> dict[str, str]:
    """Return the password of every role, by its name, as `secrets` has made them."""
    held: dict[str, str] = json.loads((root / "operator" / "passwords.json").read_text())
    return held


def prepare_database(
    admin_url: URL,
    passwords: Mapping[str, str] | None,
    *,
    workers: Sequence[str] | None = None,
    shards: int = distributing.SHARDS,
) -> distributing.Outcome | None:
    """Make roles and schemas, and bring every schema up to date, over several machines if so asked.

    Args:
        admin_url: the database, as its superuser.
        passwords: of every role; without them, the server has to let roles in by other means.
        workers: ``host`` or ``host:port`` of each machine that is to join; what has joined is known.
            None leaves the tables on the one machine, or where they are.
        shards: into how many pieces branches are sorted, the first time.

    Raises:
        NotDistributedError: ``workers`` is given, and the server is no coordinator of Citus, a
            worker does not join, or a table is refused.

    """
    if workers is not None:
        asyncio.run(distributing.require_citus(admin_url))
        asyncio.run(distributing.join(admin_url, workers))
    asyncio.run(provision(admin_url, passwords=passwords))
    for service in SERVICES:
        owner = owner_role(service)
        password = None if passwords is None else passwords[owner]
        migrations.upgrade(service, admin_url.set(username=owner, password=password))
    if workers is None:
        return None
    return asyncio.run(distributing.distribute(admin_url, shards=shards))


def main(arguments: Sequence[str]) -> None:
    """Run one of the commands; the environment says where secrets and the database are."""
    parser = argparse.ArgumentParser(prog="python -m huaxiao.shared.installation")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("secrets", help="make the secrets that are missing")
    making.add_argument(
        "--new-passwords", action="store_true", help="and new ones for all roles but the superuser"
    )
    database = commands.add_parser("database", help="make roles and schemas, and migrate them")
    database.add_argument(
        "--citus", action="store_true", help="and distribute the tables by their branch"
    )
    database.add_argument(
        "--worker",
        action="append",
        default=[],
        help="host or host:port that is to join; with --citus",
    )
    token = commands.add_parser("token", help="print a bearer token")
    token.add_argument("--role", type=Role, required=True, help=", ".join(Role))
    token.add_argument("--branch", type=int, required=True, help="six-digit county code")
    token.add_argument("--centre", action="append", help="see only these centres")
    token.add_argument("--person", help="the person behind the token")
    token.add_argument("--hours", type=int, default=8, help="how long it is good for")
    given = parser.parse_args(arguments)

    root = Path(os.environ.get("HUAXIAO_SECRETS", "/secrets"))
    match given.command:
        case "secrets":
            make_secrets(root, new_passwords=given.new_passwords)
        case "database":
            admin_url = make_url(os.environ["HUAXIAO_ADMIN_DATABASE_URL"])
            workers = given.worker if given.citus else None
            try:
                prepare_database(admin_url, passwords_under(root), workers=workers)
            except distributing.NotDistributedError as error:
                raise SystemExit(f"{error}\n{error.do}") from error
        case _:
            issuer = Issuer.from_file(
                root / "operator" / "signing.jwk", issuer=os.environ["HUAXIAO_TOKEN_ISSUER"]
            )
            made = issuer.token(
                f"operator:{given.role}",
                roles=[given.role],
                branch_ids=[given.branch],
                centre_ids=given.centre,
                person_id=given.person,
                lifetime=timedelta(hours=given.hours),
            )
            sys.stdout.write(made + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
