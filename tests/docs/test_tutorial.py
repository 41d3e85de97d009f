"""The tutorial, typed as it stands into a new suite: every command works, and tells what it says."""

import re
import shutil
from pathlib import Path

import pytest
from support.suite import in_a_shell, reachable, up

_BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "--- end of block ---"


def steps(page: Path) -> list[tuple[str, list[str]]]:
    """Return the commands of each block, each with the lines that it is to tell."""
    found: list[tuple[str, list[str]]] = []
    for language, text in _BLOCK.findall(page.read_text()):
        if language == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(line.strip().rstrip(",") for line in text.splitlines())
    return [(text, told) for text, told in found if text.strip() != "make up"]


@pytest.mark.slow
def test_the_tutorial_ends_with_a_statement_that_both_sides_confirmed(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = reachable(tmp_path_factory.mktemp("tutorial"))
    typed = steps(project / "docs" / "tutorial.md")
    assert len(typed) >= 15
    data.mkdir()
    shutil.copytree(project / "docs", data / "docs")
    with up(data) as address:
        script = "".join(f"{text}\necho; echo '{_END}'\n" for text, _ in typed)
        done = in_a_shell(script, address, data)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for (text, told), said in zip(typed, done.stdout.split(_END), strict=False):
        lines = [line.strip().rstrip(",") for line in said.splitlines()]
        assert [one for one in told if one not in lines] == [], f"{text}\n{said}"
    assert (data / "statement.pdf").read_bytes().startswith(b"%PDF")
