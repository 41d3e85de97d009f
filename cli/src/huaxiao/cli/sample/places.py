"""Where the sample county's villages lie: made up, and the same on every machine.

The register of divisions has no coordinates. The townships stand around the county seat, the town's
three within a walk of it, the others on a ring; the villages of each lie in a spiral around its middle.
"""

from decimal import Decimal
from math import cos, pi, radians, sin, sqrt

from huaxiao.cli.sample.county import TOWN_TOWNSHIPS, County
from huaxiao.shared.wire.visits import Point

SEAT = (38.147, 114.571)
"""The county seat, in degrees north and east."""
VILLAGE_DIGITS = 12
"""So many digits of a standard address are the code of its village."""
_KILOMETRES_A_DEGREE = 111.195
_IN_TOWN_KILOMETRES = 1.2
_RING_KILOMETRES = (6.0, 8.5, 7.0)
_SPREAD_KILOMETRES = 0.45
_GOLDEN_ANGLE = pi * (3 - sqrt(5))


def point_at(angle: float, kilometres: float, *, around: tuple[float, float] = SEAT) -> Point:
    """Return the point so far from a place, by the angle from east over north."""
    north = around[0] + kilometres * sin(angle) / _KILOMETRES_A_DEGREE
    east = around[1] + kilometres * cos(angle) / (_KILOMETRES_A_DEGREE * cos(radians(around[0])))
    return Point(latitude=Decimal(f"{north:.6f}"), longitude=Decimal(f"{east:.6f}"))


def village_points(county: County) -> dict[str, Point]:
    """Return where each village lies, by its code."""
    middles = _township_middles(county)
    counted = dict.fromkeys(middles, 0)
    points = {}
    for one in county.villages:
        number = counted[one.township]
        counted[one.township] += 1
        points[one.code] = point_at(
            number * _GOLDEN_ANGLE,
            _SPREAD_KILOMETRES * sqrt(number),
            around=middles[one.township],
        )
    return points


def _township_middles(county: County) -> dict[str, tuple[float, float]]:
    codes = [code for code, _ in county.townships]
    town = [one for one in codes if one in TOWN_TOWNSHIPS]
    country = [one for one in codes if one not in TOWN_TOWNSHIPS]
    middles = {}
    for ring, distances in ((town, (_IN_TOWN_KILOMETRES,)), (country, _RING_KILOMETRES)):
        for number, code in enumerate(ring):
            middle = point_at(2 * pi * number / len(ring), distances[number % len(distances)])
            middles[code] = float(middle.latitude), float(middle.longitude)
    return middles
