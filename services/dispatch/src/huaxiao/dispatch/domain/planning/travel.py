"""How long it takes from one place to another, in whole minutes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import asin, ceil, cos, radians, sin, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088
UNKNOWN = -1
Minutes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, in degrees; ``id`` is what a table of times knows it by."""

    id: str
    latitude: float = 0.0
    longitude: float = 0.0


class Travel(Protocol):
    """Where travel times come from."""

    def minutes(self, origin: Place, destination: Place) -> int:
        """Return the minutes of one way."""
        ...

    def ways_to(self, origins: Sequence[Place], destination: Place) -> list[int]:
        """Return the minutes from each of many places to one."""
        ...

    def ways_from(self, origin: Place, destinations: Sequence[Place]) -> list[int]:
        """Return the minutes from one place to each of many."""
        ...

    def matrix(self, places: Sequence[Place]) -> Minutes:
        """Return the minutes between all places, by row from and by column to."""
        ...


@dataclass(frozen=True)
class GreatCircle:
    """The distance over the globe, lengthened as roads are, at one speed; rounded up."""

    road_factor: float = 1.3
    kilometres_an_hour: float = 30.0

    def minutes(self, origin: Place, destination: Place) -> int:
        """Return the minutes of one way."""
        if origin == destination:
            return 0
        north = radians(origin.latitude)
        other = radians(destination.latitude)
        half = sin((other - north) / 2) ** 2 + cos(north) * cos(other) * (
            sin(radians(destination.longitude - origin.longitude) / 2) ** 2
        )
        return ceil(self._minutes_of_angle * 2 * asin(min(1.0, sqrt(half))) - 1e-9)

    @cached_property
    def _minutes_of_angle(self) -> float:
        return EARTH_RADIUS_KM * self.road_factor / self.kilometres_an_hour * 60

    def ways_to(self, origins: Sequence[Place], destination: Place) -> list[int]:
        """Return the minutes from each of many places to one, which are those back."""
        return self.ways_from(destination, origins)

    def ways_from(self, origin: Place, destinations: Sequence[Place]) -> list[int]:
        """Return the minutes from one place to each of many."""
        ways: list[int] = self.between([origin], destinations)[0].tolist()
        return ways

    def matrix(self, places: Sequence[Place]) -> Minutes:
        """Return the minutes between all places."""
        return self.between(places, places)

    def between(self, origins: Sequence[Place], destinations: Sequence[Place]) -> Minutes:
        """Return the minutes from each of some places to each of others."""
        north = np.radians([one.latitude for one in origins])[:, None]
        east = np.radians([one.longitude for one in origins])[:, None]
        to_north = np.radians([one.latitude for one in destinations])[None, :]
        to_east = np.radians([one.longitude for one in destinations])[None, :]
        half = (
            np.sin((north - to_north) / 2) ** 2
            + np.cos(north) * np.cos(to_north) * np.sin((east - to_east) / 2) ** 2
        )
        angle = 2 * np.arcsin(np.minimum(1.0, np.sqrt(half)))
        minutes: Minutes = np.ceil(self._minutes_of_angle * angle - 1e-9).astype(np.int64)
        return minutes


@dataclass(frozen=True)
class Table:
    """Times that somebody else worked out, such as a router over real roads."""

    ids: tuple[str, ...]
    """The places, in the order of rows and columns."""
    rows: tuple[tuple[int, ...], ...] = field(repr=False)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {one: number for number, one in enumerate(self.ids)}

    @cached_property
    def _array(self) -> Minutes:
        return np.array(self.rows, dtype=np.int64)

    def minutes(self, origin: Place, destination: Place) -> int:
        """Return the minutes of one way."""
        return self.rows[self._index[origin.id]][self._index[destination.id]]

    def ways_to(self, origins: Sequence[Place], destination: Place) -> list[int]:
        """Return the minutes from each of many places to one."""
        to = self._index[destination.id]
        return [self.rows[self._index[one.id]][to] for one in origins]

    def ways_from(self, origin: Place, destinations: Sequence[Place]) -> list[int]:
        """Return the minutes from one place to each of many."""
        row = self.rows[self._index[origin.id]]
        return [row[self._index[one.id]] for one in destinations]

    def matrix(self, places: Sequence[Place]) -> Minutes:
        """Return the minutes between all places."""
        at = [self._index[one.id] for one in places]
        return self._array[np.ix_(at, at)]


@dataclass(frozen=True)
class Areas:
    """Times between areas that somebody knows, such as townships; within one, and elsewhere, by distance.

    A place belongs to the area whose code its ``id``, an address code, begins with; the longest counts.
    """

    otherwise: GreatCircle
    codes: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...] = field(repr=False)
    """By area from and area to, in minutes; ``UNKNOWN`` where nobody said."""

    @cached_property
    def _array(self) -> Minutes:
        told = np.full((len(self.codes) + 1, len(self.codes) + 1), UNKNOWN, dtype=np.int64)
        told[:-1, :-1] = np.array(self.rows, dtype=np.int64).reshape(len(self.codes), -1)
        np.fill_diagonal(told, UNKNOWN)
        return told

    @cached_property
    def _number(self) -> dict[str, int]:
        return {one: number for number, one in enumerate(self.codes)}

    def _areas(self, places: Sequence[Place]) -> list[int]:
        return [self._area(one.id) for one in places]

    def _area(self, address: str) -> int:
        for digits in range(len(address), 0, -1):
            if address[:digits] in self._number:
                return self._number[address[:digits]]
        return len(self.codes)

    def minutes(self, origin: Place, destination: Place) -> int:
        """Return the minutes of one way."""
        told = int(self._array[self._area(origin.id), self._area(destination.id)])
        return self.otherwise.minutes(origin, destination) if told == UNKNOWN else told

    def ways_to(self, origins: Sequence[Place], destination: Place) -> list[int]:
        """Return the minutes from each of many places to one."""
        ways: list[int] = self._between(origins, [destination])[:, 0].tolist()
        return ways

    def ways_from(self, origin: Place, destinations: Sequence[Place]) -> list[int]:
        """Return the minutes from one place to each of many."""
        ways: list[int] = self._between([origin], destinations)[0].tolist()
        return ways

    def matrix(self, places: Sequence[Place]) -> Minutes:
        """Return the minutes between all places."""
        return self._between(places, places)

    def _between(self, origins: Sequence[Place], destinations: Sequence[Place]) -> Minutes:
        told = self._array[np.ix_(self._areas(origins), self._areas(destinations))]
        return np.where(told == UNKNOWN, self.otherwise.between(origins, destinations), told)
