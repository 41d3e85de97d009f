import pytest
from pydantic import BaseModel

from huaxiao.shared.problems import StaleVersion
from huaxiao.shared.versions import require_version, version_of


class Thing(BaseModel):
    name: str


HELD = Thing(name="责任田")
CURRENT = version_of(HELD)


def test_equal_content_has_one_version_and_other_content_another() -> None:
    assert version_of(Thing(name="责任田")) == CURRENT
    assert version_of(Thing(name="其他")) != CURRENT
    assert (CURRENT[0], CURRENT[-1]) == ('"', '"')


@pytest.mark.parametrize("if_match", [None, "*", CURRENT, f'"other", {CURRENT}'])
def test_a_change_starts_from_what_is_held(if_match: str | None) -> None:
    require_version(if_match, HELD)


@pytest.mark.parametrize("if_match", ['"other"', CURRENT.strip('"'), f"W/{CURRENT}", "", "*, *"])
def test_a_change_that_starts_from_anything_else_is_refused(if_match: str) -> None:
    with pytest.raises(StaleVersion):
        require_version(if_match, HELD)


@pytest.mark.parametrize("if_match", ["*", CURRENT])
def test_what_is_not_there_yet_has_no_version(if_match: str) -> None:
    require_version(None, None)
    with pytest.raises(StaleVersion):
        require_version(if_match, None)
