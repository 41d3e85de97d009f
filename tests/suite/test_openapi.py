import importlib.util
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
