from huaxiao.cli.verifying import Verified
from huaxiao.shared.wire.verification import SealDifference, SealVerification

DIFFERENCE = SealDifference(
    subject_kind="field",
    subject_id="F1",
    what="scope",
    pointer="/address_prefixes/0",
    held="130123101",
    sealed="130123100",
)


def seals(*differences: SealDifference) -> SealVerification:
    return SealVerification(
        agrees=not differences, fields=2, contracts=1, differences=list(differences)
    )


def test_what_agrees_is_told_in_one_line() -> None:
    found = Verified(seals(), 3, ())

    assert found.agrees
    assert list(found.lines()) == [
        "[green]✓[/green] 2 fields, 1 contracts, 3 statements computed again"
    ]


def test_what_differs_is_named_before_the_sum() -> None:
    found = Verified(seals(DIFFERENCE), 3, ("statement CT-C1 201711: /net_fen differs",))

    first, second, last = found.lines()
    assert not found.agrees
    assert "F1" in first
    assert "/address_prefixes/0" in first
    assert "'130123101' now, '130123100' sealed" in first
    assert second == "[red]✗[/red] statement CT-C1 201711: /net_fen differs"
    assert last.startswith("[red]✗")
