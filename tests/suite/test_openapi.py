import json
import re
from pathlib import Path

import pytest

from huaxiao.shared.provision import SERVICES
from tools import openapi


@pytest.mark.parametrize("service", SERVICES)
def test_the_committed_openapi_document_is_the_one_the_code_makes(
    service: str, project: Path
) -> None:
    committed = (project / "services" / service / "openapi.json").read_text()

    assert committed == openapi.document(service), "run `make openapi`"


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
