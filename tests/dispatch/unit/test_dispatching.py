from huaxiao.dispatch.domain.dispatching import (
    Engineer,
    Territory,
    choose_engineer,
    performing_centre,
)
from huaxiao.shared.wire.dispatch import OrderKind

ADDRESS = "130123100201"


def test_the_deepest_prefix_decides_the_performing_centre() -> None:
    held = [Territory("130123", "C2"), Territory("130123100", "C1")]
    assert performing_centre(ADDRESS, held, build_maintain_id="B1") == "C1"


def test_an_address_no_field_covers_goes_to_build_and_maintain() -> None:
    held = [Territory("130124", "C2")]
    assert performing_centre(ADDRESS, held, build_maintain_id="B1") == "B1"


def test_the_skilled_engineer_with_the_fewest_open_orders_goes_then_the_smallest_id() -> None:
    skilled = frozenset({"install"})
    people = [
        Engineer("W03", skilled, 1),
        Engineer("W02", skilled, 1),
        Engineer("W01", skilled, 2),
        Engineer("W00", frozenset({"sell"}), 0),
    ]
    assert choose_engineer(OrderKind.INSTALL, people) == "W02"
    assert choose_engineer(OrderKind.REPAIR, people) is None
