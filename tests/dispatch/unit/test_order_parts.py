from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.contents import JPEG, PDF, png, webp

from huaxiao.dispatch.domain.attachments import (
    AttachmentTooLarge,
    UnsupportedContent,
    accepted_type,
    media_type_of,
)
from huaxiao.dispatch.domain.crews import crew_faults
from huaxiao.dispatch.domain.order_parts import (
    Predecessor,
    PredecessorCycle,
    PredecessorsOpen,
    find_cycle,
    require_no_cycle,
    require_predecessors_done,
)
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.orders import AttachmentKind

_ORDERS = st.sampled_from("ABCDE")


def test_a_cycle_is_named_from_the_order_and_back_to_it() -> None:
    with pytest.raises(PredecessorCycle) as refused:
        require_no_cycle("A", ["B"], {"B": ["C", "D"], "D": ["A"]})
    assert refused.value.extensions["cycle"] == ["A", "B", "D", "A"]
    assert find_cycle("A", ["A"], {}) == ["A", "A"]
    assert find_cycle("A", ["B", "C"], {"B": ["D"], "C": ["D"]}) is None


@given(st.lists(st.tuples(_ORDERS, st.lists(_ORDERS, max_size=3)), max_size=12))
def test_orders_that_were_let_wait_for_others_can_all_be_done(changes: Any) -> None:
    waits_for: dict[str, list[str]] = {}
    for order_id, before in changes:
        if find_cycle(order_id, before, waits_for) is None:
            waits_for[order_id] = before
    done: set[str] = set()
    while left := set("ABCDE") - done:
        ready = {one for one in left if set(waits_for.get(one, ())) <= done}
        assert ready
        done |= ready


@pytest.mark.parametrize("state", OrderState)
def test_only_what_is_open_holds_an_order_back(state: OrderState) -> None:
    before = [Predecessor("A", state)]
    if state in {OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED}:
        require_predecessors_done(before)
        return
    with pytest.raises(PredecessorsOpen) as refused:
        require_predecessors_done(before)
    assert refused.value.extensions["predecessors"] == ["A"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (JPEG, "image/jpeg"),
        (png(), "image/png"),
        (webp(), "image/webp"),
        (PDF, "application/pdf"),
        (b"", None),
        (b"<svg onload=alert(1)>", None),
        (JPEG[:-2], None),
        (png()[:-12], None),
        (webp()[:-1], None),
        (webp() + b"tail", "image/webp"),
        (JPEG + b"SEFT and what the phone adds", "image/jpeg"),
        (b"%PDF-1.4 cut short", None),
    ],
)
def test_content_is_told_by_how_it_begins_and_ends(content: bytes, media_type: Any) -> None:
    assert media_type_of(content) == media_type


_THUMBNAIL = b"\xff\xd8\xff\xdb\x00\x02\xff\xda\x00\x02tiny\xff\xd9"
_EXIF = b"\xff\xe1" + (len(_THUMBNAIL) + 8).to_bytes(2, "big") + b"Exif\x00\x00" + _THUMBNAIL
_PHOTO = b"\xff\xd8" + _EXIF + b"\xff\xff\xda\x00\x02" + b"picture" * 9 + b"\xff\xd9"


def test_a_photo_cut_short_is_not_taken_for_the_small_one_within_it() -> None:
    assert media_type_of(_PHOTO) == "image/jpeg"
    assert media_type_of(_PHOTO + b"and a film") == "image/jpeg"
    assert {media_type_of(_PHOTO[:length]) for length in range(len(_PHOTO))} == {None}


@given(st.binary(max_size=64))
def test_no_bytes_are_too_odd_to_be_looked_at(content: bytes) -> None:
    assert media_type_of(content) in {None, "image/jpeg", "image/png", "application/pdf"}


def test_a_form_may_be_signed_and_is_no_photo() -> None:
    assert accepted_type("s", AttachmentKind.SIGNATURE, PDF, most_bytes=999) == "application/pdf"
    with pytest.raises(UnsupportedContent):
        accepted_type("s", AttachmentKind.AFTER, PDF, most_bytes=999)
    with pytest.raises(AttachmentTooLarge):
        accepted_type("s", AttachmentKind.AFTER, JPEG, most_bytes=len(JPEG) - 1)
    assert accepted_type("s", AttachmentKind.AFTER, JPEG, most_bytes=len(JPEG)) == "image/jpeg"


def test_an_own_crew_is_of_the_centres_people_and_an_outside_one_of_anybody() -> None:
    def faults(*members: str, company: str | None = None, skills: Any = ()) -> list[str]:
        found = crew_faults(
            members,
            homes={"W01": "B1", "W02": "C1"},
            centre_id="B1",
            company=company,
            skills=skills,
        )
        return [one.pointer for one in found]

    assert faults("W01") == []
    assert faults("W01", "W09", "W01") == ["/members/1", "/members/2"]
    assert faults("X1", "W01", company="远大", skills=["maintain"]) == []
    assert faults("X1", "W02", company="远大") == ["/members/1"]
    assert faults("W01", skills=["maintain"]) == ["/skills"]
