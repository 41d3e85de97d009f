from huaxiao.dispatch.domain.dispatching import (
    Crew,
    Engineer,
    Territory,
    choose_crew,
    choose_engineer,
    is_network_work,
    performing_centre,
    skills_for,
    unmet,
)
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind

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


def test_an_order_goes_to_who_has_all_the_skills_it_needs() -> None:
    people = [
        Engineer("W01", frozenset({"install"}), 0),
        Engineer("W02", frozenset({"install", "drive"}), 5),
    ]
    assert choose_engineer(OrderKind.INSTALL, people, ["drive"]) == "W02"
    assert choose_engineer(OrderKind.INSTALL, people, ["splice"]) is None
    wanted = skills_for(OrderKind.INSTALL, ["splice", "drive"])
    assert unmet(wanted, [one.skills for one in people]) == ["splice"]


def test_the_able_crew_with_the_fewest_open_orders_goes_then_the_smallest_id() -> None:
    able = frozenset({"maintain"})
    crews = [Crew("K3", able, 1), Crew("K2", able, 1), Crew("K1", frozenset(), 0)]
    assert choose_crew(OrderKind.CONSTRUCTION, crews) == "K2"


def test_building_is_the_networks_and_a_patrol_unless_it_is_of_an_enterprise_line() -> None:
    networks = {
        (kind, one) for kind in OrderKind for one in CustomerClass if is_network_work(kind, one)
    }
    building = {OrderKind.CONSTRUCTION, OrderKind.COMMISSIONING}
    assert networks == {(kind, one) for kind in building for one in CustomerClass} | {
        (OrderKind.PATROL, CustomerClass.PUBLIC)
    }
