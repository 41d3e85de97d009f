"""A sheet is taken whole or not at all, whatever has happened to it on its way."""

import hashlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.register import Caller, county_with_centres

from huaxiao.shared.auth import Role
from huaxiao.shared.sheets import write_csv, write_xlsx

HEADER = ["人员编码", "用工方式", "技能", "中心编码", "岗位", "任职日期", "兼任"]
ODD = st.sampled_from(
    [
        *("", '"', '""', ",", "\n", "\x00", "\ufeff", "'", "=1+1", "９", "9" * 10_000, "C9"),
        "人员编码",
    ]
)
UNSHARED = [HealthCheck.function_scoped_fixture]
"""Each example brings other bytes to the same branch, which is what happens to a service."""


@pytest.fixture
async def county(branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


@settings(max_examples=60, suppress_health_check=UNSHARED)
@given(
    st.booleans(),
    st.sampled_from(["utf-8-sig", "gb18030", "gbk", "utf-16", "utf-8"]),
    st.lists(st.tuples(st.integers(0, 200), ODD, st.integers(0, 20)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 5_000), st.binary(max_size=4)), min_size=1, max_size=2),
)
async def test_a_damaged_sheet_is_taken_whole_or_not_at_all(
    county: int,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    is_text: bool,
    encoding: str,
    cuts: list[tuple[int, str, int]],
    bytes_put: list[tuple[int, bytes]],
) -> None:
    name = hashlib.sha256(repr((is_text, encoding, cuts, bytes_put)).encode()).hexdigest()[:8]
    rows = [[f"P-{name}-{n}", "自有", "销售", "C1", "组员", "2017-11-01", ""] for n in range(3)]
    if is_text:
        text = write_csv([HEADER, *rows]).decode("utf-8-sig")
        for place, put, taken in cuts:
            text = text[:place] + put + text[place + taken :]
        content = text.encode(encoding, "replace")
    else:
        content = write_xlsx("people", [HEADER, *rows])
        for place, patch in bytes_put:
            content = content[:place] + patch + content[place + len(patch) :]
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    path = f"/v1/branches/{county}"

    async def people() -> set[str]:
        found: set[str] = set()
        cursor = ""
        while cursor is not None:
            asked = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = (await http.get(f"{path}/people", params=asked, headers=headers)).json()
            found |= {one["person_id"] for one in page["items"]}
            cursor = page["next_cursor"]
        return found

    before = await people()
    answer = await http.post(f"{path}/sheets/people", content=content, headers=headers)
    after = await people()

    assert answer.status_code in {200, 413, 422}, answer.text
    taken = answer.status_code == 200 and answer.json()["taken"]
    assert before <= after
    if taken:
        assert len(after - before) <= answer.json()["rows"]
    else:
        assert after == before
