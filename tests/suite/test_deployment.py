"""What `deploy/` says must fit the code that it deploys."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url

from huaxiao.console.settings import Settings as Console
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.settings import ServiceSettings

DEPLOYED = ("contracts", "attribution", "dispatch", "kpi")
IMAGES = (*DEPLOYED, "console")
"""What the target ``service`` is built for: the services, and the console that keeps nothing."""
WORKSPACE = ("cli", "console", "shared", *(f"services/{one}" for one in DEPLOYED))
"""What `uv.lock` binds together: nothing is installed where one of them is missing."""


@pytest.fixture(scope="module")
def deploy(project: Path) -> Path:
    return project / "deploy"


@pytest.fixture(scope="module")
def compose(deploy: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((deploy / "docker-compose.yml").read_text())
    return document


@pytest.fixture(scope="module")
def scale(deploy: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((deploy / "scale/compose.yml").read_text())
    return document


@pytest.fixture(scope="module")
def example(deploy: Path) -> str:
    return (deploy / ".env.example").read_text()


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"huaxiao.{service}.settings").Settings
    return found


def test_every_image_is_built_by_the_one_file_from_bases_that_can_be_named(
    compose: dict[str, Any], deploy: Path
) -> None:
    bases = {
        "PYTHON_IMAGE": "${HUAXIAO_PYTHON_IMAGE:-python:3.13-slim-trixie}",
        "BUILD_IMAGE": "${HUAXIAO_BUILD_IMAGE:-python:3.13-slim-trixie}",
        "GATEWAY_IMAGE": "${HUAXIAO_GATEWAY_IMAGE:-caddy:2.11.7-alpine}",
    }
    targets = {"secrets": "prepare", "gateway": "gateway"} | dict.fromkeys(IMAGES, "service")
    dockerfile = (deploy / "Dockerfile").read_text()

    for name, target in targets.items():
        build = compose["services"][name]["build"]
        own = {"SERVICE": name} if name in IMAGES else {}
        assert (build["dockerfile"], build["target"]) == ("deploy/Dockerfile", target)
        assert build["args"] == bases | own
    for base, named in bases.items():
        default = named.partition(":-")[2].rstrip("}")
        assert (
            f"ARG {base}={default}\n" in dockerfile or f"ARG {base}=${{PYTHON_IMAGE}}" in dockerfile
        )
    assert set(SERVICES) <= set(DEPLOYED)


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_is_told_are_its_settings_and_all_it_must_be_told(
    service: str, compose: dict[str, Any]
) -> None:
    settings = settings_of(service)
    prefix = settings.model_config["env_prefix"]
    environment = compose["services"][service]["environment"]

    told = {name.removeprefix(prefix).lower() for name in environment if name != "PGPASSFILE"}

    assert all(name.startswith(prefix) for name in environment if name != "PGPASSFILE")
    assert told <= set(settings.model_fields)
    assert {name for name, one in settings.model_fields.items() if one.is_required()} <= told


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            if key.endswith("_URL"):
                assert make_url(value).password is None, (name, key)
            elif re.search("PASS|KEY|SECRET", key):
                assert value.startswith(("/run/secrets/", "/secrets/")), (name, key)


def test_a_service_is_given_its_own_secrets_and_no_others(compose: dict[str, Any]) -> None:
    for service in DEPLOYED:
        kept = {"dispatch": ["attachments:/var/lib/huaxiao", "compiled:/var/lib/huaxiao-compiled"]}
        assert compose["services"][service]["volumes"] == [
            f"secrets-{service}:/run/secrets:ro",
            "public:/run/public:ro",
            f"anchors-{service}:/var/lib/huaxiao-anchors",
            *kept.get(service, []),
        ]


def test_containers_have_no_right_they_can_do_without(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert service.get("user") != "root", name


def test_containers_take_no_more_than_they_are_given(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["pids_limit"] == 256, name
        assert {"mem_limit", "cpus"} <= set(service), name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


def test_workers_of_the_database_have_no_more_rights_and_nobody_beside_them(
    compose: dict[str, Any], scale: dict[str, Any]
) -> None:
    """They trust whoever reaches them: so nobody does but the coordinator and each other."""
    workers = {name: one for name, one in scale["services"].items() if name.startswith("worker-")}
    reaching = {
        name for name, one in scale["services"].items() if "machines" in one.get("networks", [])
    }

    assert len(workers) == 2
    assert reaching == {"postgres", *workers}
    assert scale["networks"] == {"machines": {"internal": True}}
    test_containers_have_no_right_they_can_do_without({"services": workers})
    test_containers_take_no_more_than_they_are_given({"services": workers})
    for one in workers.values():
        assert one["networks"] == ["machines"]
        assert "ports" not in one
        assert one["healthcheck"] == compose["services"]["postgres"]["healthcheck"]


def test_every_worker_joins_before_anything_is_made(scale: dict[str, Any]) -> None:
    prepare = scale["services"]["prepare"]
    workers = [name for name in scale["services"] if name.startswith("worker-")]

    assert prepare["command"][:2] == ["database", "--citus"]
    assert prepare["command"][3::2] == workers == list(prepare["depends_on"])


def test_a_service_is_given_longer_to_end_than_it_takes(
    compose: dict[str, Any], deploy: Path
) -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    [grace] = re.findall(r"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=(\d+)", dockerfile)

    for name in DEPLOYED:
        drained = settings_of(name).model_fields["drain_seconds"].default
        given = int(compose["services"][name]["stop_grace_period"].removesuffix("s"))
        assert given > drained + int(grace), name


def test_images_run_as_nobody_in_particular(deploy: Path) -> None:
    stages = re.split(r"^FROM ", (deploy / "Dockerfile").read_text(), flags=re.MULTILINE)
    final = [one for one in stages if re.match(r"\S+ AS (prepare|gateway|service)\n", one)]

    assert len(final) == 3
    assert all("USER 10001:10001\n" in one for one in final)


def test_only_the_gateway_can_be_reached_from_outside(compose: dict[str, Any]) -> None:
    published = {name for name, one in compose["services"].items() if "ports" in one}
    networks = {
        name: set(one.get("networks", [one.get("network_mode")]))
        for name, one in compose["services"].items()
    }

    assert published == {"gateway"}
    assert compose["networks"]["inside"] == compose["networks"]["data"] == {"internal": True}
    assert networks.pop("gateway") == {"inside", "outside"}
    assert networks.pop("console") == {"inside"}
    assert networks.pop("postgres") == networks.pop("prepare") == {"data"}
    assert all(one in ({"inside", "data"}, {"none"}) for one in networks.values())


def test_the_gateway_leads_to_every_service_that_it_waits_for(
    deploy: Path, compose: dict[str, Any]
) -> None:
    caddyfile = (deploy / "Caddyfile").read_text()

    led = re.findall(
        r"handle_path /(\w+)/\* \{\n\t\timport small\n\t\treverse_proxy (\w+):8000", caddyfile
    )
    assert led == [(one, one) for one in DEPLOYED]
    assert "\thandle {\n\t\timport small\n\t\treverse_proxy console:8000" in caddyfile
    assert set(compose["services"]["gateway"]["depends_on"]) == set(IMAGES)


def test_the_console_is_told_its_settings_and_no_secret(compose: dict[str, Any]) -> None:
    console = compose["services"]["console"]
    told = {name for name in console["environment"] if name.startswith("CONSOLE_")}

    assert {name.removeprefix("CONSOLE_").lower() for name in told} <= set(Console.model_fields)
    assert console["environment"]["CONSOLE_SECURE_COOKIES"] == "true"
    assert "volumes" not in console


def test_the_gateway_waits_longer_than_services_take_and_takes_more_than_they_do(
    deploy: Path,
) -> None:
    caddyfile = (deploy / "Caddyfile").read_text()
    [waits] = re.findall(r"response_header_timeout (\d+)s", caddyfile)
    [takes] = re.findall(r"max_size (\d+)MiB", caddyfile)
    defaults = ServiceSettings.model_fields

    assert int(waits) > 30 + defaults["request_seconds"].default
    assert int(takes) * 2**20 > defaults["max_body_bytes"].default


def test_the_gateway_knows_by_its_length_what_it_does_not_take(deploy: Path) -> None:
    caddyfile = (deploy / "Caddyfile").read_text()
    [mebibytes] = re.findall(r"max_size (\d+)MiB", caddyfile)
    [large] = re.findall(r"header_regexp Content-Length (\S+)", caddyfile)
    limit = int(mebibytes) * 2**20

    for length in (limit, limit + 1, limit + 512, 21 * 10**6, 10**8, 2**40):
        assert re.match(large, str(length)), length
    for length in (0, 7, 10**6, 16 * 2**20, limit - 1):
        assert not re.match(large, str(length)), length


def test_the_example_sets_every_variable_of_the_file_to_its_default(
    deploy: Path, example: str
) -> None:
    files = ("docker-compose.yml", "observability/compose.yml", "scale/compose.yml")
    text = "".join((deploy / one).read_text() for one in files)
    used = dict(re.findall(r"\$\{(HUAXIAO_\w+):-([^}]*)\}", text))

    assert dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE)) == used
    assert set(re.findall(r"\$\{(\w+)", text)) == {*used, "COMPOSE_PROJECT_NAME"}


def test_the_example_explains_every_setting_that_is_not_wired(
    compose: dict[str, Any], example: str
) -> None:
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE))
    expected: dict[str, str] = {}
    for service in DEPLOYED:
        settings = settings_of(service)
        wired = compose["services"][service]["environment"]
        for name, one in settings.model_fields.items():
            common = name in ServiceSettings.model_fields
            # Written once for all, for contracts.
            variable = f"{'CONTRACTS' if common else service.upper()}_{name.upper()}"
            wiring = common and name.endswith(("_url", "signing_key_file"))
            if f"{service.upper()}_{name.upper()}" not in wired and not wiring:
                expected[variable] = written(one.default)

    assert told == expected


def written(default: object) -> str:
    """Return a default as an environment would say it."""
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case tuple() | frozenset():
            return "[]"
        case _:
            return str(default)


def test_every_setting_of_the_example_has_its_reason_above_it(example: str) -> None:
    lines = example.splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"#?[A-Z][A-Z_]+=", line)]
    for number in settings:
        above = number
        while above in settings:
            above -= 1
        assert lines[above].startswith("# "), lines[number]


def test_the_image_that_prepares_has_every_history_and_a_folder_for_every_secret(
    deploy: Path, compose: dict[str, Any]
) -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    folders = {one.split(":")[1] for one in compose["services"]["prepare"]["volumes"]}

    for member in WORKSPACE:
        assert f"COPY {member}/pyproject.toml {member}/\n" in dockerfile
        assert (deploy.parent / member / "pyproject.toml").is_file()
    assert "COPY console console\n" in dockerfile
    # The command's package needs every service's.
    assert "uv sync --frozen --no-dev --no-editable --package huaxiao-cli\n" in dockerfile
    assert folders == {f"/secrets/{name}" for name in (*DEPLOYED, "postgres", "operator", "public")}
    assert all(f" {folder.removeprefix('/')}" in dockerfile for folder in folders)


def test_the_workspace_has_no_other_members(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    members = settings["tool"]["uv"]["workspace"]["members"]
    found = {
        str(one.parent.relative_to(project))
        for member in members
        for one in project.glob(f"{member}/pyproject.toml")
    }

    assert found == set(WORKSPACE)


def test_images_install_with_the_uv_that_the_project_pins(deploy: Path, project: Path) -> None:
    pins = {
        tuple(re.findall(r"uv==([\d.]+)", path.read_text()))
        for path in (deploy / "Dockerfile", project / "Makefile")
    }

    assert len(pins) == 1


def test_where_no_engine_can_be_had_the_test_of_containers_says_so_and_ends_its_own_way(
    project: Path,
) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "compose",
        "tests/compose",
        "-p",
        "no:cacheprovider",
    ]
    nowhere = os.environ | {"DOCKER_HOST": "unix:///nowhere/docker.sock"}

    done = subprocess.run(
        command, cwd=project, env=nowhere, capture_output=True, text=True, check=False
    )

    assert done.returncode == 69
    assert "no container engine can be had: docker version: " in done.stdout + done.stderr
