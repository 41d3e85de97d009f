"""A damaged stream of events is taken as far as it is whole, every line told, and never a fault of ours."""

import gzip
import json
from collections.abc import Callable

import httpx
import zstandard
from attribution.conftest import Sender
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient

PACK = {"": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
ODD = st.sampled_from(
    [
        *(b"", b"\x00", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b"{", b"}}", b"null"),
        *("宽带".encode("gbk"), "宽带".encode("utf-16"), b"NaN", b"9" * 20_000, b"[" * 2_000),
        *(b'\\ud800"', b'"amount_fen":1,"amount_fen":2,'),
    ]
)
UNSHARED = [HealthCheck.function_scoped_fixture]
"""Each example brings other bytes to the same branch, which is what happens to a service."""


@settings(max_examples=60, suppress_health_check=UNSHARED)
@given(
    st.sampled_from(sorted(PACK)),
    st.lists(st.tuples(st.integers(0, 900), ODD, st.integers(0, 60)), max_size=4),
    st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=2),
)
async def test_whatever_comes_each_line_is_told_and_the_books_agree(
    county: int,
    manager: AttributionClient,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    encoding: str,
    within: list[tuple[int, bytes, int]],
    packed: list[tuple[int, bytes]],
) -> None:
    sender = Sender(county)
    events = [sender.opened(), *(sender.bill(f"BI-{number}") for number in range(4))]
    content = b"".join(json.dumps(one).encode() + b"\n" for one in events)
    for place, put, taken in within:
        content = content[:place] + put + content[place + taken :]
    body = PACK[encoding](content)
    for place, put in packed:
        body = body[:place] + put + body[place + len(put) :]
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": "application/x-ndjson",
    } | ({"Content-Encoding": encoding} if encoding else {})

    answer = await http.post("/v1/events", content=body, headers=headers)

    assert answer.status_code == 200, answer.text
    told = answer.json()
    kinds = ("booked", "duplicates", "parked", "refused", "conflicts")
    assert told["received"] == sum(told[kind] for kind in kinds)
    for books in await manager.reconciliations(county):
        assert (books.difference_fen, books.ledger_sum_fen) == (0, 0)
