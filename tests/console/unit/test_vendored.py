"""Scripts that were vendored are the ones that were pinned, and each has its licence beside it."""

import hashlib
from pathlib import Path

from huaxiao.console.page import FILES

VENDORED = FILES / "vendor"


def test_every_vendored_script_is_what_was_pinned() -> None:
    pinned = dict(
        reversed(line.split("  ")) for line in (VENDORED / "SHA256SUMS").read_text().splitlines()
    )
    found = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in VENDORED.glob("*.js")
    }

    assert found == pinned
    for name in found:
        assert (VENDORED / f"{name.partition('-')[0]}-LICENSE").is_file()


def test_pages_load_what_is_vendored_and_nothing_else() -> None:
    layout = (Path(FILES).parent / "templates" / "layout.html").read_text()

    assert "http" not in layout.replace("http-equiv", "")
    assert all(one.name in layout for one in VENDORED.glob("*.js"))
