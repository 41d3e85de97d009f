import asyncio
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared import installation
from huaxiao.shared.auth import Role, TokenVerifier
from huaxiao.shared.database import Database
from huaxiao.shared.issuer import Issuer, service_tokens
from huaxiao.shared.problems import Unauthenticated
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.trusted_keys import KnownKeys

ISSUER = "https://county.example"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    installation.make_secrets(tmp_path)
    return tmp_path


def test_secrets_are_made_once_and_kept(secrets: Path) -> None:
    before = {path: path.read_text() for path in secrets.rglob("*") if path.is_file()}

    installation.make_secrets(secrets)

    assert {path: path.read_text() for path in secrets.rglob("*") if path.is_file()} == before


def test_all_roles_but_the_superuser_get_new_passwords_when_asked(secrets: Path) -> None:
    held = secrets / "operator" / "passwords.json"
    before = json.loads(held.read_text())
    keys = [one.read_text() for one in sorted(secrets.glob("*/signing.jwk"))]

    installation.make_secrets(secrets, new_passwords=True)
    after = json.loads(held.read_text())

    assert {role for role in before if before[role] == after[role]} == {installation.SUPERUSER}
    assert after.keys() == before.keys()
    assert after["kpi"] in (secrets / "kpi" / "pgpass").read_text()
    assert [one.read_text() for one in sorted(secrets.glob("*/signing.jwk"))] == keys


def test_only_the_owner_reads_a_secret(secrets: Path) -> None:
    open_to_others = {
        str(path.relative_to(secrets))
        for path in secrets.rglob("*")
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) != 0o600
    }

    assert open_to_others == {"postgres/password", "public/jwks.json"}


def test_no_two_readers_share_a_key_or_a_password(secrets: Path) -> None:
    passwords = json.loads((secrets / "operator" / "passwords.json").read_text())
    keys = [json.loads(path.read_text())["d"] for path in secrets.glob("*/signing.jwk")]

    assert len(passwords) == len(set(passwords.values())) == 1 + 2 * len(SERVICES)
    assert len(keys) == len(set(keys)) == 1 + len(SERVICES)
    for service in SERVICES:
        mine = (secrets / service / "pgpass").read_text()
        assert mine == f"*:*:*:{service}:{passwords[service]}\n"


def signers(secrets: Path) -> dict[str, Issuer]:
    return {
        one.parent.name: Issuer.from_file(one, issuer=ISSUER)
        for one in secrets.glob("*/signing.jwk")
    }


async def test_the_public_document_holds_no_private_part_and_lets_each_key_speak_for_its_own(
    secrets: Path,
) -> None:
    document = json.loads((secrets / "public" / "jwks.json").read_text())
    verifier = TokenVerifier(KnownKeys(document, issuer=ISSUER), service="kpi")

    assert all("d" not in key for key in document["keys"])
    for service, signer in signers(secrets).items():
        persons = signer.token("somebody", roles=[Role.AUDITOR], branch_ids=[110_001])
        if service == "operator":
            assert (await verifier.verify(persons)).roles == {Role.AUDITOR}
            continue
        own = service_tokens(signer, service=service, audience="kpi")()
        assert (await verifier.verify(own)).subject == f"service:{service}"
        with pytest.raises(Unauthenticated):
            await verifier.verify(persons)


async def test_a_token_for_a_person_is_printed(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUAXIAO_SECRETS", str(secrets))
    monkeypatch.setenv("HUAXIAO_TOKEN_ISSUER", ISSUER)

    installation.main(["token", "--role", "auditor", "--branch", "130123", "--centre", "C1"])

    document = json.loads((secrets / "public" / "jwks.json").read_text())
    verifier = TokenVerifier(KnownKeys(document, issuer=ISSUER), service="kpi")
    principal = await verifier.verify(capsys.readouterr().out.strip())
    assert (principal.branch_ids, principal.centre_ids) == ({130123}, {"C1"})


def test_an_empty_database_is_made_ready_and_may_be_made_ready_again(
    secrets: Path,
    prepared: PreparedDatabase,
    worker: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"installation_{worker}"
    asyncio.run(embedded.create_database(prepared.postgres, name))
    admin = make_url(prepared.postgres.url("postgres", name))
    monkeypatch.setenv("HUAXIAO_SECRETS", str(secrets))
    monkeypatch.setenv("HUAXIAO_ADMIN_DATABASE_URL", admin.render_as_string(hide_password=False))

    installation.main(["database"])
    installation.main(["database"])

    async def ready(service: str) -> None:
        url = admin.set(username=service).render_as_string(hide_password=False)
        database = Database(url, service=service, pool_size=1)
        try:
            await database.check()
        finally:
            await database.close()

    for service in SERVICES:
        asyncio.run(ready(service))
