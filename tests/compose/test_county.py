"""The suite in containers: how its containers are held, the sample county's month, doctor and backup."""

import asyncio
import io
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rich.console import Console
from support.deployment import (
    LASTING,
    ONE_OFF,
    VERSION,
    Deployment,
    EngineError,
    docker,
)
from support.documents import blocks_of

from huaxiao.cli.demo import run_demo
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.story import Endpoints
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.provision import SERVICES

SUBSCRIBERS = 120
SEED = 201711
DATABASE = "huaxiao"


@pytest.fixture(scope="module")
def county(deploy: Callable[..., Deployment]) -> Deployment:
    return deploy("huaxiao-compose-test")


@pytest.fixture(scope="module")
def suite(county: Deployment) -> Endpoints:
    return Endpoints.behind(county.url, county.issuer())


# --- how containers are held --------------------------------------------------------------------


@pytest.mark.parametrize("service", [*ONE_OFF, *LASTING])
def test_a_container_has_no_right_it_can_do_without(county: Deployment, service: str) -> None:
    found = county.inspect(service)
    host, config = found["HostConfig"], found["Config"]

    assert config["User"] not in {"", "0", "root", "0:0"}
    assert host["ReadonlyRootfs"] is True
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None)
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Privileged"] is False
    assert {host["PidMode"], host["UTSMode"], host["UsernsMode"]} == {""}
    assert {one["Type"] for one in found["Mounts"]} <= {"volume"}
    assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0
    assert host["LogConfig"]["Config"]["max-size"] == "10m"


@pytest.mark.parametrize("service", LASTING)
def test_what_lasts_is_healthy_and_starts_again(county: Deployment, service: str) -> None:
    found = county.inspect(service)

    assert found["Config"]["Healthcheck"]["Test"]
    assert found["State"]["Health"]["Status"] == "healthy"
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["RestartCount"] == 0


@pytest.mark.parametrize("service", ONE_OFF)
def test_what_is_done_once_has_been_done(county: Deployment, service: str) -> None:
    assert county.state(service)["ExitCode"] == 0


@pytest.mark.parametrize("service", [*SERVICES, "console", "gateway"])
def test_the_process_itself_has_no_capability_and_may_gain_none(
    county: Deployment, service: str
) -> None:
    status = county.read(service, "/proc/1/status").decode()
    held = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", status, re.MULTILINE))

    assert held == {
        "Uid": "10001",
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
    }


def test_only_the_gateways_port_is_published(county: Deployment) -> None:
    published = {
        service: bound
        for service in [*ONE_OFF, *LASTING]
        if (bound := county.inspect(service)["HostConfig"]["PortBindings"])
    }

    assert published == {
        "gateway": {"8443/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(county.port)}]}
    }


def test_no_secret_stands_where_whoever_may_look_at_containers_sees_it(county: Deployment) -> None:
    passwords: dict[str, str] = json.loads(county.secret("operator/passwords.json"))
    keys = [json.loads(county.secret(f"{one}/signing.jwk"))["d"] for one in ("operator", *SERVICES)]
    seen = [json.dumps(county.inspect(one)) for one in [*ONE_OFF, *LASTING]]
    for image in ("prepare", "gateway", "console", *SERVICES):
        name = f"huaxiao/{image}:{VERSION}"
        seen += [docker("history", "--no-trunc", name).decode(), docker("inspect", name).decode()]
    seen += [county.logs(one) for one in [*ONE_OFF, *LASTING]]

    assert len(passwords) + len(keys) >= 14
    for secret in [*passwords.values(), *keys]:
        assert not any(secret in one for one in seen)


def test_a_service_reads_its_own_secrets_and_nobody_elses(county: Deployment) -> None:
    for service in SERVICES:
        held = county.compose("exec", "-T", service, "ls", "/run/secrets", "/run/public")
        assert set(held.decode().split()) == {
            *("/run/secrets:", "pgpass", "signing.jwk"),
            *("/run/public:", "jwks.json"),
        }
        with pytest.raises(EngineError):
            county.compose("exec", "-T", service, "touch", "/run/secrets/x")
        with pytest.raises(EngineError):
            county.compose("exec", "-T", service, "touch", "/opt/huaxiao/x")


def test_the_gateway_does_not_reach_the_database_nor_a_service_the_world(
    county: Deployment,
) -> None:
    networks = {
        one: {
            name.removeprefix(f"{county.project}_")
            for name in county.inspect(one)["NetworkSettings"]["Networks"]
        }
        for one in LASTING
    }
    inside = json.loads(docker("network", "inspect", f"{county.project}_inside"))[0]
    data = json.loads(docker("network", "inspect", f"{county.project}_data"))[0]

    assert networks["gateway"] == {"inside", "outside"}
    assert networks["postgres"] == {"data"}
    assert networks["console"] == {"inside"}
    assert all(networks[one] == {"inside", "data"} for one in SERVICES)
    assert inside["Internal"] is data["Internal"] is True


# --- the gateway --------------------------------------------------------------------------------


def test_the_gateway_speaks_tls_and_nothing_else(county: Deployment) -> None:
    plain = httpx.get(f"http://localhost:{county.port}/healthz")
    secured = httpx.get(f"{county.url}/healthz")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{county.url}/healthz", verify=True, trust_env=False)

    assert plain.status_code == 400
    assert secured.json() == {"status": "ok"}
    assert secured.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in secured.headers


@pytest.mark.parametrize("mebibytes", [17, 21])
def test_a_body_beyond_the_limit_is_refused(suite: Endpoints, mebibytes: int) -> None:
    """The first by the service, the other by the gateway: in the same words."""
    headers = {
        "Authorization": f"Bearer {suite.token(Role.BSS_SOURCE)()}",
        "Content-Type": "application/cloudevents-batch+json",
    }
    body = b" " * mebibytes * 2**20

    answer = httpx.post(f"{suite.attribution}/v1/events", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_path_says_which_service_and_the_console_answers_for_the_rest(
    county: Deployment,
) -> None:
    of_service = httpx.get(f"{county.url}/contracts/nowhere")
    of_console = httpx.get(f"{county.url}/nowhere", headers={"Accept": "text/html"})

    assert of_service.headers["Content-Type"] == "application/problem+json"
    assert of_console.headers["Content-Type"].startswith("text/html")
    assert of_service.status_code == of_console.status_code == 404


# --- the month, and what is kept of it ----------------------------------------------------------


async def test_the_sample_countys_month_comes_out_to_the_fen(suite: Endpoints) -> None:
    told = io.StringIO()

    held = await run_demo(
        suite, seed=SEED, console=Console(file=told, width=100), subscribers=SUBSCRIBERS
    )

    assert held, told.getvalue()[-4000:]


def test_searches_for_plans_were_compiled_with_the_image(county: Deployment) -> None:
    """Compiling takes a minute: what lies in the volume is what the image brought."""
    script = (
        "import os, sys; folder = '/var/lib/huaxiao-compiled';"
        "print(sum(len(files) for _, _, files in os.walk(folder)))"
    )
    now = int(county.compose("exec", "-T", "dispatch", "python", "-c", script))
    image = f"huaxiao/dispatch:{VERSION}"
    brought = int(docker("run", "--rm", "--network", "none", image, "python", "-c", script))

    assert now == brought > 0


def examined(county: Deployment) -> list[dict[str, Any]]:
    try:
        said = county.compose("run", "--rm", "doctor", "--anchors", "/anchors", "--json")
    except EngineError as error:
        pytest.fail(str(error))
    findings: list[dict[str, Any]] = json.loads(said)["findings"]
    return findings


def test_the_doctor_finds_nothing_wrong_and_sees_everything(county: Deployment) -> None:
    found = examined(county)

    assert {one["check"] for one in found} >= {"audit log", "ledger", "feeds", "seals", "roles"}
    assert {one["level"] for one in found} == {"holds"}, found


async def books(suite: Endpoints) -> list[Any]:
    token = suite.token(Role.COUNTY_MANAGER)
    async with AttributionClient(suite.attribution, token) as attribution:
        found = await attribution.balances(BRANCH_ID, period=TERM_FROM)
    return sorted(one.model_dump_json() for one in found)


async def test_a_destroyed_database_is_restored_from_its_dump(
    county: Deployment, suite: Endpoints
) -> None:
    before = await books(suite)
    on_postgres = ("exec", "-T", "postgres")
    dump = county.compose(*on_postgres, "pg_dump", "-U", "postgres", "-Fc", DATABASE)
    county.compose("stop", "gateway", *SERVICES)
    county.compose("rm", "--force", "--stop", "postgres", "prepare")
    docker("volume", "rm", f"{county.project}_database")

    county.compose("run", "--rm", "prepare")
    restore = ("pg_restore", "-U", "postgres", "-d", DATABASE, "--clean", "--if-exists")
    county.compose(*on_postgres, *restore, "--exit-on-error", given=dump)
    county.up()
    await asyncio.to_thread(county.until_ready)
    after = await books(suite)

    assert len(before) > 10
    assert after == before
    assert {one["level"] for one in examined(county)} == {"holds"}


# --- what the documents say -----------------------------------------------------------------------

MOMENT = "2026-11-30 03:00:00+08"
"""To which the page about backups goes back, as an example."""
AFTER_THE_MOMENT = "public.after_the_moment"


def on_database(county: Deployment, statement: str) -> str:
    psql = ("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", DATABASE, "-Atc")
    return county.compose(*psql, statement).decode().strip()


@pytest.mark.parametrize(
    "page", ["install", "backup", "keys-and-certificates", "replaying", "upgrade"]
)
def test_every_command_of_a_page_that_needs_containers_works(
    county: Deployment, project: Path, tmp_path: Path, page: str
) -> None:
    """As a person types them, one after another: those that need none are run by `tests/docs`."""
    shutil.copytree(project / "deploy", tmp_path / "deploy")
    document = project / "docs" / "operations" / f"{page}.md"
    blocks = [one for one in blocks_of(document, "sh") if "docker " in one]
    for block in blocks:
        script = block.replace("https://localhost:8443", county.url)
        if MOMENT in script:
            moment = on_database(county, "SELECT now()")
            on_database(county, f"CREATE TABLE {AFTER_THE_MOMENT} ()")
            script = script.replace(MOMENT, moment)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=county.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    county.until_ready()

    assert on_database(county, f"SELECT to_regclass('{AFTER_THE_MOMENT}')") == ""
    assert blocks
    assert {one["level"] for one in examined(county)} == {"holds"}


# --- a certificate of one's own -------------------------------------------------------------------


def own_certificate() -> tuple[bytes, bytes]:
    """Return a certificate for this machine that nobody signed but its key, and the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def test_a_given_certificate_is_shown_instead_of_the_gateways_own(county: Deployment) -> None:
    certificate, key = own_certificate()
    folder = f"{county.project}_certificates:/run/certificates"
    for name, content in (("site.pem", certificate), ("site.key", key)):
        put = f"cat > /run/certificates/{name} && chown 10001 /run/certificates/{name}"
        image = f"huaxiao/prepare:{VERSION}"
        run = ("run", "--rm", "--interactive", "--user", "0", "--volume", folder)
        docker(*run, "--entrypoint", "sh", image, "-c", f"umask 077; {put}", given=content)
    given = "/run/certificates/site.pem /run/certificates/site.key"
    trusting = ssl.create_default_context(cadata=certificate.decode())

    county.settings["HUAXIAO_TLS"] = given
    county.up()
    answer = httpx.get(f"{county.url}/healthz", verify=trusting)

    assert answer.json() == {"status": "ok"}
