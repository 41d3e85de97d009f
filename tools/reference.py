"""Write docs/reference/ from the code: ``python tools/reference.py``."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import huaxiao.shared.clients
import huaxiao.shared.wire
from huaxiao.cli.ending import Ends
from huaxiao.cli.main import app as cli_app
from huaxiao.cli.suite import service_at_rest
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.problems import all_problems
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.wire import events
from huaxiao.shared.wire.alerts import AlertFact
from huaxiao.shared.wire.base import Fact

PROJECT = Path(__file__).parents[1]
WRITTEN = PROJECT / "docs" / "reference"
_CLIENTS = (AttributionClient, ContractsClient, DispatchClient, KpiClient)
_FORMS = {
    "date-time": "moment with its offset",
    "date": "day",
    "integer": "whole number",
    "null": "nothing",
}
_FACT = re.compile(rf"(?:{'|'.join(SERVICES)})\.[a-z_.]+")
_MADE = (
    "Written by `make openapi` from the code; `tests/docs/test_reference.py` holds it to that.\n"
)


def pages() -> dict[str, str]:
    """Return every page of the reference by its file's name; no database is touched."""
    return {
        "api.md": "".join(_api()),
        "cli.md": "".join(_cli()),
        "events.md": "".join(_events()),
        "problems.md": "".join(_problems()),
        "python-client.md": "".join(_python_client()),
        "settings.md": "".join(_settings()),
    }


# --- the API ------------------------------------------------------------------------------------


def _api() -> Iterator[str]:
    yield f"# API\n\n{_MADE}\n"
    yield (
        "Each running service shows its whole document at `/docs`, and gives it at `/openapi.json`; it is"
        " committed as `services/<service>/openapi.json`, from which the [clients](../clients.md) are made."
        " `…` is `/v1/branches/{branch_id}`. Lists come in pages: `limit` up to 500, `cursor` is the"
        " `next_cursor` of the page before. [Who may do what](../permissions.md);"
        " [what a refusal means](problems.md).\n"
    )
    for service in SERVICES:
        document = json.loads((PROJECT / "services" / service / "openapi.json").read_text())
        yield f"\n## {service}\n"
        for tag, operations in sorted(_by_tag(document).items()):
            yield f"\n### {service}: {tag}\n\n| operation | | name |\n| --- | --- | --- |\n"
            for path, method, operation in sorted(operations, key=lambda one: one[:2]):
                shown = path.replace("/v1/branches/{branch_id}", "…")
                said = _line(operation.get("description", operation["summary"]))
                yield f"| `{method.upper()} {shown}` | {said} | `{operation['operationId']}` |\n"


def _by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for tag in operation.get("tags", ["other"])[:1]:
                found.setdefault(tag, []).append((path, method, operation))
    return found


# --- events -------------------------------------------------------------------------------------


def _events() -> Iterator[str]:
    yield f"# Events\n\n{_MADE}\n"
    yield (
        "All are [CloudEvents 1.0](https://cloudevents.io) in structured JSON. Amounts are whole fen; days are"
        " business days in Asia/Shanghai; a month is `YYYYMM`. How to post them:"
        " [post business events](../integrate-billing.md).\n"
    )
    yield "\n## Business events\n\nWhat other systems post to attribution, as `data` of an envelope:\n\n"
    yield _members(msgspec.json.schema(events.Envelope))
    for name, form in events.DATA_TYPES.items():
        yield f"\n### `{name}`\n\n{_text(form)}\n\n{_members(msgspec.json.schema(form))}"
    yield "\n### People of a lead\n\n" + _members(msgspec.json.schema(events.LeadPerson))
    yield (
        "\n## Facts\n\nWhat the services tell in their feeds (`GET …/feed`), in order and without a gap for each"
        " branch. Types that a member names are those of the services' documents.\n"
    )
    for name, fact in sorted(facts().items()):
        yield f"\n### `{name}`\n\n{_text(fact)}\n\n{_members(fact.model_json_schema())}"


def facts() -> dict[str, type[Fact]]:
    """Return the form of every fact's data by the fact's type.

    A type's constant is named as its form is: ``FIELD_SEALED`` and ``FieldSealed``.
    """
    forms: dict[str, type[Fact]] = {}
    types: dict[str, str] = {}
    for module in _modules(huaxiao.shared.wire):
        for name, value in vars(module).items():
            if isinstance(value, str) and name.isupper() and _FACT.fullmatch(value):
                types[value] = name.title().replace("_", "")
            elif isinstance(value, type) and issubclass(value, Fact):
                forms[name] = value
    return {
        told: forms.get(name) or forms.get(f"{name}Fact") or _alert(told)
        for told, name in types.items()
    }


def _alert(told: str) -> type[Fact]:
    assert told.startswith("kpi.alert."), f"no form is named like {told}"  # noqa: S101 - says what to name
    return AlertFact


def _modules(package: Any) -> Iterator[Any]:
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def _members(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        schema = {"$defs": schema["$defs"]} | schema["$defs"][schema["$ref"].rpartition("/")[2]]
    needed = schema.get("required", [])
    lines = ["| member | form | |", "| --- | --- | --- |"]
    for name, member in schema["properties"].items():
        default = member.get("default")
        optional = "" if default in {None, ""} else f"; {json.dumps(default)} if absent"
        needs = "" if name in needed else f"optional{optional}"
        lines.append(f"| `{name}` | {_form(member, schema)} | {needs} |")
    return "\n".join(lines) + "\n"


def _form(member: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in member:
        called = member["$ref"].rpartition("/")[2]
        named = schema["$defs"][called]
        return _choice(named["enum"]) if "enum" in named else f"`{called}`"
    if "anyOf" in member:
        several = (one for one in member["anyOf"] if one.get("type") != "null")
        return " or ".join(_form(one, schema) for one in several)
    if "enum" in member:
        return _choice(member["enum"])
    if "const" in member:
        return f"`{json.dumps(member['const'])}`"
    if member.get("type") == "array" and "items" in member:
        return f"list of {_form(member['items'], schema)}"
    form: str = member.get("format", member.get("type", "any"))
    return _FORMS.get(form, form) + _least(member)


def _least(member: dict[str, Any]) -> str:
    """Say from where on a number may lie, where that is at zero."""
    if member.get("exclusiveMinimum") == 0:
        return " above 0"
    return " of 0 or more" if member.get("minimum") == 0 else ""


def _choice(values: Iterable[Any]) -> str:
    return ", ".join(f"`{one}`" for one in values)


# --- problems -----------------------------------------------------------------------------------


def _problems() -> Iterator[str]:
    documents = {one: service_at_rest(one) for one in SERVICES}
    yield f"# Problems\n\n{_MADE}\n"
    yield (
        "A refusal is `application/problem+json` (RFC 9457). Branch on `code`, which is stable; `errors` name what is"
        " wrong at which place of the body; `instance` is the trace, by which the log is found. Texts come in"
        " Chinese with `Accept-Language: zh-CN`. A running service explains each at `/problems/{code}`.\n\n"
        f"Every 429 and 503 has `Retry-After`: the same may be sent again. {len(documents)} services share what"
        " stands under *all*. Outcomes of single events:"
        " [what cannot be booked](../attribution.md#what-cannot-be-booked).\n"
    )
    by_service: dict[str, list[Any]] = {}
    for kind in sorted(all_problems(), key=lambda kind: kind.code):
        part = kind.__module__.split(".")[1]
        if kind.__module__.startswith("huaxiao."):
            by_service.setdefault("all" if part == "shared" else part, []).append(kind)
    for service in ("all", *SERVICES):
        yield f"\n## {service}\n\n| code | status | | meaning |\n| --- | --- | --- | --- |\n"
        for kind in by_service.get(service, []):
            titles = f"{kind.title} {kind.title_zh}"
            yield f"| `{kind.code}` | {int(kind.status)} | {titles} | {_line(kind.__doc__)} |\n"


# --- settings -----------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield f"# Settings\n\n{_MADE}\n"
    yield (
        "From the environment, each under its service's prefix: `ATTRIBUTION_DATABASE_URL`, `KPI_…`. Lists are"
        " JSON. What to choose when: [operate the suite](../operate.md#settings).\n"
    )
    yield "\n## Every service\n\n" + _fields(ServiceSettings, set())
    shared = set(ServiceSettings.model_fields)
    for service in SERVICES:
        own = importlib.import_module(f"huaxiao.{service}.settings").Settings
        if set(own.model_fields) - shared:
            yield f"\n## {service}: `{own.model_config['env_prefix']}…`\n\n{_fields(own, shared)}"


def _fields(settings: type[BaseSettings], without: set[str]) -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in settings.model_fields.items():
        if name in without:
            continue
        default = "none" if field.default is None else f"`{_plain(field.default)}`"
        default = "must be given" if field.default is PydanticUndefined else default
        lines.append(f"| `{name.upper()}` | {default} | {_line(field.description or '')} |")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return json.dumps(sorted(value)) if isinstance(value, frozenset | tuple) else str(value)


# --- the Python client --------------------------------------------------------------------------


def _python_client() -> Iterator[str]:
    yield f"# Python client\n\n{_MADE}\n"
    yield (
        "How to connect, errors and time-outs: [clients](../clients.md#python). All methods are asynchronous; types"
        " are those of `huaxiao.shared.wire`.\n"
    )
    for kind in (ServiceClient, *_CLIENTS):
        yield f"\n## {kind.__name__}\n\n{_text(kind)}\n\n| method | |\n| --- | --- |\n"
        inherited = set(vars(ServiceClient)) if kind is not ServiceClient else set()
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction):
            if name.startswith("_") or name in inherited:
                continue
            yield f"| `{_signature(name, method)}` | {_line(method.__doc__)} |\n"


def _signature(name: str, method: Any) -> str:
    shown = inspect.signature(method)
    given = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in list(shown.parameters.values())[1:]
    ]
    plain = shown.replace(parameters=given, return_annotation=inspect.Signature.empty)
    returned = inspect.formatannotation(shown.return_annotation)
    return f"{name}{plain} → {re.sub(r'(?:[a-z_]+[.])+', '', returned)}".replace("|", "or")


# --- the command --------------------------------------------------------------------------------


def _cli() -> Iterator[str]:
    command: Any = typer.main.get_group(cli_app)
    yield f"# The `huaxiao` command\n\n{_MADE}\n"
    yield (
        "`huaxiao --help` lists the commands, `huaxiao <command> --help` explains one, `huaxiao --install-completion`"
        " lets your shell complete them. Results go to standard output, with `--json` for machines; progress, and"
        " what is wrong and what to do next, to standard error.\n"
    )
    yield "\n## How a command ends\n\n| code | means |\n| --- | --- |\n"
    for code, meaning in zip(Ends, _said_below(Ends), strict=True):
        yield f"| {int(code)} | {_line(meaning)} |\n"
    for panel, commands in _by_panel(command).items():
        yield f"\n## {panel}\n"
        for name, one in commands:
            yield f"\n### `huaxiao {name}`\n\n{inspect.cleandoc(one.help or '')}\n"
            yield "\n| option | default | |\n| --- | --- | --- |\n"
            for parameter in one.params:
                yield _parameter(parameter)


def _by_panel(command: Any) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for name, one in command.commands.items():
        found.setdefault(str(one.rich_help_panel), []).append((name, one))
    return found


def _said_below(kind: type) -> list[str]:
    """Return the texts that stand below the members of a class, in order."""
    (described,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(described, ast.ClassDef)  # noqa: S101 - it was asked for a class
    texts = [
        str(one.value.value)
        for one in described.body
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    ]
    return texts[1:]


def _parameter(parameter: Any) -> str:
    shown = "file" if not parameter.opts[0].startswith("-") else " ".join(parameter.opts)
    default = "" if parameter.default in {None, "", False} else f"`{parameter.default}`"
    said = _line(getattr(parameter, "help", None) or "")
    variable = f"; from `{parameter.envvar}`" if getattr(parameter, "envvar", None) else ""
    needed = "must be given" if parameter.required else default
    other = "".join(f", `{one}`" for one in parameter.secondary_opts)
    return f"| `{shown}`{other} | {needed} | {said}{variable} |\n"


# --- text ---------------------------------------------------------------------------------------


def _text(kind: type[msgspec.Struct | BaseModel | ServiceClient]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").replace("``", "`")


def _line(text: str | None) -> str:
    """Return the first paragraph of a text as a cell of a table."""
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return " ".join(first.split()).replace("``", "`").replace("|", "\\|")


def main() -> None:
    """Write the pages."""
    WRITTEN.mkdir(exist_ok=True)
    for name, page in pages().items():
        (WRITTEN / name).write_text(page)


if __name__ == "__main__":
    main()
