"""Drive every journey of the console in a real Chromium: ``make browser``.

Ends with 3 where no Chromium can be had, and else as pytest does. The pictures in ``docs/pictures``
are taken on the way.
"""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT / "tests"))
from support.browsing import CHROMIUM, chromium  # noqa: E402

NO_BROWSER = 3
_ADVICE = f"""No Chromium was found, so nothing of the console was tried in a browser.
Debian and Ubuntu: apt-get install chromium fonts-noto-cjk
Elsewhere: install Chromium or Chrome, and name it: {CHROMIUM}=/path/to/chromium make browser"""


def main(arguments: list[str]) -> int:
    """Find the browser and run the tests."""
    found = chromium()
    if found is None:
        print(_ADVICE, file=sys.stderr)
        return NO_BROWSER
    command = [sys.executable, "-m", "pytest", "tests/browser", *arguments]
    return subprocess.run(
        command, cwd=_ROOT, env=os.environ | {CHROMIUM: found}, check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
