"""Who may be in a crew, and what it may say of itself (R17)."""

from collections.abc import Iterator, Mapping, Sequence

from huaxiao.shared.problems import Fault


def crew_faults(
    members: Sequence[str],
    *,
    homes: Mapping[str, str],
    centre_id: str,
    company: str | None,
    skills: Sequence[str],
) -> Iterator[Fault]:
    """Yield what is wrong with a crew; ``homes`` are the centres of everybody who is registered.

    One's own people are registered, and what they can do with them; an outside company names its
    own people, and what they can do together. Nobody is taken from another centre.
    """
    for index, one in enumerate(members):
        pointer = f"/members/{index}"
        if one in members[:index]:
            yield Fault(pointer, "named-twice", f"{one} is named twice", f"{one} 重复")
        elif homes.get(one, centre_id if company else None) != centre_id:
            yield Fault(
                pointer,
                "not-of-centre",
                f"{one} does not work for {centre_id}",
                f"{one} 不在中心 {centre_id} 任职",
            )
    if company is None and skills:
        yield Fault(
            "/skills",
            "of-outside-crews",
            "what one's own people can do is registered with them",
            "自有人员的技能以人员登记为准",
        )
