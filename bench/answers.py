"""How soon questions are answered."""

from collections.abc import Callable
from statistics import median

import msgspec

from bench.intake import bills, months, post
from bench.measuring import Figure, Size, Suite, Wire, figure, open_the_county, tell, timed
from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import Event, generate
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

QUESTIONS = 300


async def explain(suite: Suite, size: Size) -> Figure:
    """Ask whose a subscription is and why."""
    return await _ask(
        suite,
        size,
        "explain",
        lambda event: f"subscriptions/{event['data']['subscription_id']}/explanation",
    )


async def balance(suite: Suite, size: Size) -> Figure:
    """Ask what a centre's accounts stand at."""
    return await _ask(
        suite, size, "balance", lambda _: f"balances?period={next(months())}&centre_id=C1"
    )


async def _ask(suite: Suite, size: Size, name: str, path: Callable[[Event], str]) -> Figure:
    """Return the median of single questions, and of an answer that looks nothing up beside it."""
    sample = generate(sample_county(), seed=1, subscribers=size.subscribers)
    await open_the_county(suite, sample)
    url = suite.processes["attribution"].url
    batches = list(bills(sample, next(months()), size))
    await post(
        url,
        suite.headers(Role.BSS_SOURCE, FEED_MEDIA_TYPE),
        [msgspec.json.encode(one) for one in batches],
    )
    asked = [event for batch in batches for event in batch][:QUESTIONS]
    took, ratios = [], []
    async with Wire(url, suite.headers(Role.COUNTY_MANAGER, "application/json")) as wire:
        for event in asked:
            one = await timed(_question(wire, f"/v1/branches/{BRANCH_ID}/{path(event)}"))
            empty = await timed(_question(wire, "/healthz"))
            took.append(1000 * one)
            ratios.append(one / empty)
    tell(f"{name}: median {median(took):.2f} ms over {len(took)} questions")
    return figure(name, took, "ms", against="an answer that looks nothing up", ratios=ratios)


async def _question(wire: Wire, path: str) -> None:
    await wire.ask("GET", path)
