"""Units: what is counted, for each of what. ``fen/people`` is fen a person; ``ratio`` is a number."""

from collections import Counter
from dataclasses import dataclass

from typing_extensions import override

PLAIN = "ratio"


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a value counts, each with its power; nothing for a plain number."""

    powers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> "Dimension":
        """Read a unit: ``a*b/c/d``. What stands before the first slash is counted, the rest divides."""
        above, *below = text.split("/")
        powers = Counter(above.split("*"))
        powers.subtract(name for part in below for name in part.split("*"))
        del powers[PLAIN]
        return cls._made(powers)

    def over(self, other: "Dimension") -> "Dimension":
        """Return the unit of a ratio."""
        powers = Counter(dict(self.powers))
        powers.subtract(dict(other.powers))
        return self._made(powers)

    @classmethod
    def _made(cls, powers: Counter[str]) -> "Dimension":
        return cls(tuple(sorted((name, power) for name, power in powers.items() if power)))

    @override
    def __str__(self) -> str:
        """Write the unit as ``of`` reads it."""
        above = [name for name, power in self.powers for _ in range(power)]
        below = [name for name, power in self.powers for _ in range(-power)]
        return "/".join(["*".join(above) or PLAIN, *below])
