"""What ships for those who watch: gauges that can be read, and rules and boards that ask for no other."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.postgres import PreparedDatabase

from huaxiao.shared.clock import system_clock
from huaxiao.shared.database import Database
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.watching import Gauge, Watch

REQUESTS = {
    "http_server_active_requests",
    *(f"http_server_request_duration_seconds_{part}" for part in ("bucket", "count", "sum")),
}
"""What FastAPI measures, as Prometheus names it."""
OF_PROMETHEUS = {"target_info", "ALERTS"}
SUFFIXES = {"s": "_seconds"}
_NAME = re.compile(r"\b(?:huaxiao|http_server|target)[\w:]*")


def gauges(service: str) -> tuple[Gauge, ...]:
    found: tuple[Gauge, ...] = import_module(f"huaxiao.{service}.gauges").GAUGES
    return found


def in_prometheus(gauge: Gauge) -> str:
    return gauge.name.replace(".", "_") + SUFFIXES.get(gauge.unit, "")


@pytest.fixture(scope="module")
def rules(project: Path) -> list[dict[str, Any]]:
    text = (project / "deploy/observability/alerts.yml").read_text()
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def known(rules: list[dict[str, Any]]) -> set[str]:
    watched = {in_prometheus(one) for service in SERVICES for one in gauges(service)}
    return watched | REQUESTS | OF_PROMETHEUS | {one["record"] for one in rules if "record" in one}


def asked(project: Path) -> Iterator[str]:
    """Yield every expression of the boards that is asked of Prometheus."""
    boards = sorted((project / "deploy/observability/grafana/dashboards").glob("*.json"))
    assert boards
    for board in boards:
        for panel in json.loads(board.read_text())["panels"]:
            if panel["datasource"]["type"] == "prometheus":
                yield from (target["expr"] for target in panel["targets"])


def names(expression: str) -> set[str]:
    without_labels = re.sub(r'"[^"]*"', "", expression)
    return set(_NAME.findall(without_labels))


def test_rules_and_boards_ask_for_what_services_tell_and_for_nothing_else(
    project: Path, rules: list[dict[str, Any]], known: set[str]
) -> None:
    expressions = [one["expr"] for one in rules] + list(asked(project))

    unknown = {name for one in expressions for name in names(one)} - known

    assert unknown == set()
    assert all(names(one) for one in expressions)


def test_every_gauge_is_on_a_board_or_in_a_rule(
    project: Path, rules: list[dict[str, Any]], known: set[str]
) -> None:
    shown = {name for one in [*(r["expr"] for r in rules), *asked(project)] for name in names(one)}

    assert {one for one in known if one.startswith("huaxiao_")} - shown == set()


def test_every_alert_says_what_is_wrong_in_both_languages_and_has_its_page_and_its_test(
    project: Path, rules: list[dict[str, Any]]
) -> None:
    page = (project / "docs/operations/alerts.md").read_text()
    tried = (project / "deploy/observability/alerts_test.yml").read_text()
    alerts = [one for one in rules if "alert" in one]

    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == [one["alert"] for one in alerts]
    for one in alerts:
        assert one["annotations"]["runbook"] == f"operations/alerts.md#{one['alert'].lower()}"
        assert re.search(r"[\u4e00-\u9fff]", one["annotations"]["summary_zh"])
        assert one["labels"]["severity"] in {"page", "morning"}
        assert one["alert"] in tried


@pytest.mark.parametrize("service", SERVICES)
async def test_every_gauge_is_read_as_the_service_itself(
    service: str, prepared: PreparedDatabase
) -> None:
    database = Database(prepared.url(service), service=service)
    watch = Watch(database, gauges(service))
    try:
        await watch.look(system_clock())
    finally:
        await database.close()

    assert watch.shown.keys() == {one.name for one in gauges(service)}


HELD = """
INSERT INTO attribution.branches (branch_id, name_zh, default_centre_id) VALUES ({0}, '云泽', 'C0');
INSERT INTO attribution.intakes (branch_id, closed_through) VALUES ({0}, 201710);
INSERT INTO attribution.period_totals (branch_id, period, first_entry, last_entry, billed_fen)
    VALUES ({0}, 201710, 1, 2, 300), ({0}, 201711, 3, 4, 500);
INSERT INTO attribution.balances (branch_id, period, centre_id, field_id, account, amount_fen)
    VALUES ({0}, 201710, 'C0', '', 'revenue', -300), ({0}, 201711, 'C0', '', 'revenue', -200),
        ({0}, 201711, 'C1', '', 'revenue', -300), ({0}, 201711, 'C0', '', 'receivable', 500);
INSERT INTO attribution.held_events (branch_id, number, digest, outcome, code, message, message_zh,
    body, posted_by, received_at, resolved_at)
    VALUES ({0}, 1, '1', 'parked', 'x', 'x', 'x', '', 'bss', now() - interval '2 days', NULL),
        ({0}, 2, '2', 'parked', 'x', 'x', 'x', '', 'bss', now() - interval '1 day', NULL),
        ({0}, 3, '3', 'refused', 'x', 'x', 'x', '', 'bss', now() - interval '9 days', NULL),
        ({0}, 4, '4', 'parked', 'x', 'x', 'x', '', 'bss', now() - interval '9 days', now())
"""


async def test_what_waits_in_the_books_is_counted_by_branch(
    prepared: PreparedDatabase, branch_id: int, tamper: Callable[..., Awaitable[None]]
) -> None:
    await tamper(*HELD.format(branch_id).split(";"))
    database = Database(prepared.url("attribution"), service="attribution")
    watch = Watch(database, gauges("attribution"))
    try:
        await watch.look(system_clock())
    finally:
        await database.close()

    def shown(name: str, *labels: str) -> dict[Any, float]:
        return {
            tuple(dict(one.attributes or {})[label] for label in labels): one.value
            for one in watch.shown[name]
            if dict(one.attributes or {})["branch"] == branch_id
        }

    assert shown("huaxiao.events.held", "outcome") == {("parked",): 2, ("refused",): 1}
    (age,) = shown("huaxiao.events.parked.age").values()
    assert 172_800 <= age < 176_400
    assert shown("huaxiao.periods.open") == {(): 1}
    assert shown("huaxiao.revenue.unresolved", "period", "service") == {
        (201711, "attribution"): 200
    }


@pytest.fixture(scope="module")
def beside(project: Path) -> dict[str, Any]:
    text = (project / "deploy/observability/compose.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def test_what_watches_has_no_right_it_can_do_without_and_is_reached_from_its_own_machine_only(
    beside: dict[str, Any],
) -> None:
    own = {name: one for name, one in beside.items() if name not in SERVICES}

    for name, one in own.items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["read_only"] is True, name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit"} <= one.keys(), name
        assert all(":ro" in volume or volume.split(":")[0].isalpha() for volume in one["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", [])), name
    assert {name for name, one in own.items() if "ports" in one} == {"grafana"}


def test_every_service_tells_the_collector_under_the_name_that_the_rules_ask_for(
    beside: dict[str, Any], rules: list[dict[str, Any]]
) -> None:
    silent = next(one["expr"] for one in rules if one.get("alert") == "ServiceSilent")

    told = {name: beside[name]["environment"] for name in SERVICES}

    assert {one["OTEL_EXPORTER_OTLP_ENDPOINT"] for one in told.values()} == {
        "http://collector:4318"
    }
    assert {one["OTEL_SERVICE_NAME"] for one in told.values()} == set(
        re.findall(r'job="([\w-]+)"', silent)
    )


def test_what_the_collector_passes_on_leads_to_a_store_that_is_there(
    project: Path, beside: dict[str, Any]
) -> None:
    text = (project / "deploy/observability/collector.yaml").read_text()
    collector = yaml.safe_load(text)
    pipelines = collector["service"]["pipelines"].values()

    led = {one["endpoint"].split("/")[2].split(":")[0] for one in collector["exporters"].values()}

    assert led <= beside.keys()
    assert {name for one in pipelines for name in one["exporters"]} == collector["exporters"].keys()
