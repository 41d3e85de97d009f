import importlib.util
import json
import re
from pathlib import Path

import pytest

from huaxiao.shared.provision import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_the_committed_openapi_document_is_the_one_the_code_makes(
    service: str, project: Path
) -> None:
    spec = importlib.util.spec_from_file_location("openapi", project / "tools" / "openapi.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    committed = (project / "services" / service / "openapi.json").read_text()

    assert committed == tool.document(service), "run `make openapi`"


@pytest.mark.parametrize("service", SERVICES)
def test_every_part_of_an_address_is_described(service: str, project: Path) -> None:
    document = json.loads((project / "services" / service / "openapi.json").read_text())
    wrong = [
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if set(re.findall(r"{(\w+)}", path))
        != {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
    ]
    assert wrong == []
