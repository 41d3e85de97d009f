"""A coverage report in a process of its own, so that its peak memory is its own.

``python -m bench.coverage FIELDS < codes``: every township's villages fall to one of the fields.
"""

import json
import resource
import sys
import time

from huaxiao.contracts.domain.coverage import Claim, coverage

_TOWNSHIP_DIGITS = 9


def main() -> None:
    """Read codes, draw the fields, report; print what it took."""
    wanted = int(sys.argv[1])
    villages = sys.stdin.read().split()
    townships = sorted({code[:_TOWNSHIP_DIGITS] for code in villages})
    claims = [
        Claim(code, f"F{index * wanted // len(townships)}") for index, code in enumerate(townships)
    ]
    started = time.perf_counter()
    sorted(villages)
    sorted_at = time.perf_counter()
    found = coverage(villages, claims)
    reported_at = time.perf_counter()
    assert found.is_complete, found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "villages": len(villages),
                "claims": len(claims),
                "fields": len({claim.field_id for claim in claims}),
                "sort_s": sorted_at - started,
                "report_s": reported_at - sorted_at,
                "peak_mib": peak / 1024 / (1024 if sys.platform == "darwin" else 1),
            }
        )
    )


if __name__ == "__main__":
    main()
