"""What `deploy/` says must fit the code that it deploys."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url

from huaxiao.shared.provision import SERVICES

DEPLOYED = ("contracts", "attribution", "dispatch", "kpi")


@pytest.fixture(scope="module")
def deploy(project: Path) -> Path:
    return project / "deploy"


@pytest.fixture(scope="module")
def compose(deploy: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((deploy / "docker-compose.yml").read_text())
    return document


def test_every_service_is_deployed_from_its_own_image(compose: dict[str, Any]) -> None:
    for service in DEPLOYED:
        build = compose["services"][service]["build"]
        assert build["args"] == {"SERVICE": service}
        assert build["target"] == "service"
    assert set(SERVICES) <= set(DEPLOYED)


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_is_told_are_its_settings_and_all_it_must_be_told(
    service: str, compose: dict[str, Any]
) -> None:
    settings = importlib.import_module(f"huaxiao.{service}.settings").Settings
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
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "postgres" or service["read_only"] is True, name


def test_only_the_gateway_can_be_reached_from_outside(compose: dict[str, Any]) -> None:
    published = {name for name, one in compose["services"].items() if "ports" in one}

    assert published == {"gateway"}
    assert compose["networks"]["inside"] == {"internal": True}
    for name, service in compose["services"].items():
        networks = service.get("networks", [service.get("network_mode")])
        assert name == "gateway" or networks in (["inside"], ["none"]), name


def test_the_gateway_leads_to_every_service_that_it_waits_for(
    deploy: Path, compose: dict[str, Any]
) -> None:
    caddyfile = (deploy / "Caddyfile").read_text()

    assert set(re.findall(r"import service (\w+)", caddyfile)) == set(DEPLOYED)
    assert set(compose["services"]["gateway"]["depends_on"]) == set(DEPLOYED)


def test_the_example_environment_names_every_variable_and_no_other(deploy: Path) -> None:
    used = set(re.findall(r"\$\{(\w+)", (deploy / "docker-compose.yml").read_text()))
    example = (deploy / ".env.example").read_text()

    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == used


def test_the_image_that_prepares_has_every_history_and_a_folder_for_every_secret(
    deploy: Path, compose: dict[str, Any]
) -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    folders = {one.split(":")[1] for one in compose["services"]["prepare"]["volumes"]}

    for service in DEPLOYED:
        assert f"--package huaxiao-{service}" in dockerfile
        assert f"services/{service}/pyproject.toml" in dockerfile
    assert folders == {f"/secrets/{name}" for name in (*DEPLOYED, "postgres", "operator", "public")}
    assert all(f" {folder.removeprefix('/')}" in dockerfile for folder in folders)


def test_images_install_with_the_uv_that_the_project_pins(deploy: Path, project: Path) -> None:
    pins = {
        tuple(re.findall(r"uv==([\d.]+)", path.read_text()))
        for path in (deploy / "Dockerfile", project / "Makefile")
    }

    assert len(pins) == 1
