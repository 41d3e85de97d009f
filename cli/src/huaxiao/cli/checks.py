"""What the demo checks, told at its end."""

from dataclasses import dataclass, field

from rich.console import Console


@dataclass
class Checks:
    """What was checked, and whether it held."""

    console: Console
    results: list[tuple[str, bool]] = field(default_factory=list)

    def hold(self, what: str, *, held: bool) -> None:
        """Record one check."""
        self.results.append((what, held))

    def equal(self, what: str, found: object, expected: object) -> None:
        """Record a check that a figure is what it must be."""
        difference = "" if found == expected else f" (found {found}, expected {expected})"
        self.hold(what + difference, held=found == expected)

    def show(self) -> bool:
        """Print every check; true when all held."""
        self.console.rule("Checks 核对")
        for what, held in self.results:
            self.console.print(f"{'[green]✓[/green]' if held else '[red]✗[/red]'} {what}")
        return self.all_held

    @property
    def all_held(self) -> bool:
        """Whether anything was checked, and all of it held."""
        return bool(self.results) and all(held for _, held in self.results)
