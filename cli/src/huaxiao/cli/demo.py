"""The sample county's month, carried through the suite, shown in the terminal, every figure checked."""

import httpx
from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.progress import progress_bar
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, TOWN_TOWNSHIPS, sample_county
from huaxiao.cli.sample.day import CENTRE as PLANNED_CENTRE
from huaxiao.cli.sample.generator import PLANNED_SUBSCRIBERS, Expected, generate
from huaxiao.cli.sample.lead import EARNED_FEN
from huaxiao.cli.story import (
    Endpoints,
    NotSeenError,
    Story,
    Taken,
    component,
    target_of,
    telling,
)
from huaxiao.cli.work import telling as work
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.money import yuan
from huaxiao.shared.wire.attribution import (
    Explanation,
    IntakeReport,
    Outcome,
    Reconciliation,
    UnresolvedShare,
    UnresolvedStanding,
)
from huaxiao.shared.wire.contracts import Coverage
from huaxiao.shared.wire.dispatch import Appraisal, Order, OrderState
from huaxiao.shared.wire.kpi import TargetReport, TargetsOf
from huaxiao.shared.wire.settlement import SettlementStatement

_PLANTED_OWNERS: dict[str, tuple[set[str], str, list[str]]] = {
    "sticky": ({"C1", "C2"}, "070", []),
    "address_conflict": ({"C1"}, "090", ["ADDR_CONFLICT"]),
    "no_address": ({"C0"}, "900", ["NO_ADDRESS"]),
    "circuit_no_developer": ({"C0"}, "040", ["CIRCUIT_NO_DEVELOPER"]),
    "listed_dispute": ({"G1"}, "020", []),
    "moved": ({"C1"}, "090", []),
}
"""Owners, rule and flags that each planted case must have (DOMAIN, demo county)."""
_GOALS = {"at_least": "≥", "more_than": ">"}
_VERDICTS = {
    "pass": "[green]met 达成[/green]",
    "fail": "[red]not met 未达成[/red]",
    "not_computable": "[dim]not computable[/dim]",
}
_STANDINGS = {
    UnresolvedStanding.WITHIN: "[green]within the limits 正常[/green]",
    UnresolvedStanding.WARNING: "[yellow]warning 预警[/yellow]",
    UnresolvedStanding.BLOCKED: "[red]blocks the closing 禁止关账[/red]",
    UnresolvedStanding.APPROVED: "[yellow]approved 已批准关账[/yellow]",
}

_SHOWN_CENTRE = "C1"
"""Whose statement the demo shows."""


async def run_demo(
    suite: Endpoints,
    *,
    seed: int,
    console: Console,
    subscribers: int = PLANNED_SUBSCRIBERS,
    checks: Checks | None = None,
) -> bool:
    """Run the demo; true only if every check held. What stops it is said in the terminal.

    Whoever gives ``checks`` finds in them what was checked.
    """
    checks = checks or Checks(console)
    try:
        return await _run(suite, checks, seed=seed, console=console, subscribers=subscribers)
    except (PeerProblem, NotSeenError, httpx.TransportError) as stopped:
        console.print(_advice(stopped), style="red")
        return False


async def _run(
    suite: Endpoints, checks: Checks, *, seed: int, console: Console, subscribers: int
) -> bool:
    county = sample_county()
    sample = generate(county, seed, subscribers)
    async with telling(suite, county, sample) as story:
        with console.status("contracts: the county, its fields, its signed contracts …"):
            coverage = await story.register()
            await story.wait_for_attribution()
        with console.status(f"dispatch: assets, and tomorrow's orders of {PLANNED_CENTRE} …"):
            begun = await work.begin(story)
        with progress_bar(console, "attribution: business events", len(sample.events)) as advance:
            taken = await story.post(sample.events, advance)
        mended = await story.mend()
        with console.status("dispatch: orders to engineers …"):
            orders = await story.orders()
        with progress_bar(console, "dispatch: orders worked", len(orders)) as advance:
            done = await story.work(orders, advance)
        horizontal, final = await story.appraise()
        with console.status("kpi: following the other three …"):
            report = await story.targets()
        books, unresolved = await story.books(), await story.unresolved()
        planted = await story.explain_planted()
        cash_in, short = await story.cash_in_fen(), await story.shortfalls()
        statements = await story.settle()
        recomputed = await story.recomputed(statements)
        seals, shareholders = await story.sealed(), await story.shareholders()
        earned = await story.lead_earns()
        with console.status("dispatch: the plan of the day …"):
            told = await work.end(story, begun, done)
    _show_county(console, story, coverage)
    _show_taken(console, taken, books)
    _show_revenue(console, story, books)
    _show_unresolved(console, unresolved)
    for case in ("listed_dispute", "address_conflict"):
        _show_explanation(console, planted[case][0])
    _show_work(console, done, horizontal, final)
    work.show_month(console, told)
    _show_targets(console, story, report)
    _show_statement(console, story, statements)
    work.show_today(console, told)
    _check_county(checks, story, coverage)
    _check_intake(checks, sample.expected, taken, mended, books)
    checks.equal("cash received is what was paid, to the fen", cash_in, sample.expected.cash_in_fen)
    checks.equal(
        "payments that did not reach the bank whole are named (NL-05)",
        sorted(one.payment_id for one in short),
        sorted(sample.expected.short_payments),
    )
    _check_planted(checks, planted)
    _check_work(checks, story, done, horizontal, final)
    _check_targets(checks, sample.expected, report, books, planned=subscribers)
    _check_settlement(checks, statements, books, recomputed=recomputed)
    checks.hold("every seal, computed again, is what was sealed", held=seals.agrees)
    checks.equal("no own employee is without shares", shareholders.without_shares, [])
    checks.equal("a lead's commission is its people's, once and to the fen", earned, EARNED_FEN)
    work.check(checks, told)
    return checks.show()


# --- what is shown ------------------------------------------------------------------------------


def _show_county(console: Console, story: Story, coverage: Coverage) -> None:
    county = story.county
    sealed = len(county.fields)
    console.rule(f"{county.name_zh} {BRANCH_ID} · {TERM_FROM}")
    console.print(
        f"{len(county.townships)} townships, {coverage.villages} villages,"
        f" {len(county.centres)} centres, {len(county.persons)} people, {len(county.channels)}"
        f" channels; {sealed} responsibility fields (责任田) sealed by"
        f" {len(county.contracts)} signed contracts"
    )


def _show_taken(console: Console, taken: Taken, books: Reconciliation) -> None:
    table = Table(title="Business events 业务事件", title_justify="left")
    table.add_column("outcome")
    table.add_column("events", justify="right")
    table.add_row("received 接收", f"{taken.received:,}")
    for outcome, title in (
        (Outcome.BOOKED, "booked 入账"),
        (Outcome.DUPLICATE, "duplicates, booked once 重复"),
        (Outcome.PARKED, "parked until what they wait for 挂起"),
        (Outcome.REFUSED, "refused with a reason 拒收"),
        (Outcome.CONFLICT, "same id, another body 冲突"),
    ):
        table.add_row(title, f"{taken.outcomes[outcome]:,}")
    console.print(table)
    refused = ", ".join(
        f"{code} {taken.codes[code]}" for code in sorted({*_FORM_CODES.values(), *books.held})
    )
    held = ", ".join(f"{code} {count}" for code, count in sorted(books.held.items()))
    console.print(f"Not booked, by reason 未入账原因: {refused}")
    console.print(f"Held for mending now, one mended 待修正: {held}\n")


def _show_revenue(console: Console, story: Story, books: Reconciliation) -> None:
    names = {one.centre_id: one.name_zh for one in story.county.centres}
    table = Table(title="Net revenue by centre, yuan 各中心收入（元）", title_justify="left")
    for column in ("centre", "booked", "by the plan of the month"):
        table.add_column(column, justify="left" if column == "centre" else "right")
    expected = _expected_revenue(story.sample.expected)
    for one in books.revenue_by_centre:
        table.add_row(
            f"{one.centre_id} {names.get(one.centre_id, '')}",
            yuan(one.amount_fen),
            yuan(expected.get(one.centre_id, 0)),
        )
    table.add_section()
    table.add_row("county 全县", yuan(books.booked_fen), yuan(sum(expected.values())))
    console.print(table)


def _show_unresolved(console: Console, found: UnresolvedShare) -> None:
    share = "—" if found.share is None else f"{found.share * 100:.2f} %"
    console.print(
        f"Unresolved in the pool 未归属收入: {share}, {_STANDINGS[found.standing]}"
        f" (warned of above {found.warn_above_basis_points / 100:g} %,"
        f" blocked above {found.block_above_basis_points / 100:g} %)\n"
    )


def _show_explanation(console: Console, found: Explanation) -> None:
    console.print(f"Why does {found.subscription_id} belong to {found.owner.centre_id}? 归属理由")
    for sentence in (*found.story_zh, *found.story):
        console.print(f"  {sentence}")
    console.print()


def _show_work(
    console: Console, done: list[Order], horizontal: Appraisal, final: Appraisal
) -> None:
    late = sum(one.on_time is False for one in done)
    flagged = [one.order_id for one in done if one.flags]
    console.print(
        f"{len(done)} orders done by {len({one.engineer_id for one in done})} engineers,"
        f" {late} late; flagged as a false completion (NL-15): {', '.join(flagged)}"
    )
    console.print(
        f"Horizontal appraisal 横向考核: {horizontal.rater_centre_id} gives"
        f" {horizontal.ratee_centre_id} {horizontal.score}; final 最终考核:"
        f" {final.rater_centre_id} gives {final.person_id} {final.score} (grade {final.grade})\n"
    )


def _show_targets(console: Console, story: Story, report: TargetReport) -> None:
    table = Table(title=f"The three targets 三大目标 · {TERM_FROM}", title_justify="left")
    for column in ("unit", "market gross margin", "cash flow, y/y", "average wage, y/y"):
        table.add_column(column)
    contracted = {one.centre_id for one in story.county.contracts}
    shown = [one for one in report.centres if one.centre_id in contracted]
    for one in [report.county, *shown]:
        if one is not None:
            cells = [
                f"{target.display or '–'} ({_GOALS[target.comparison]} {target.goal * 100:.0f} %)\n"
                f"{_VERDICTS[target.verdict]}"
                for target in one.targets
            ]
            table.add_row(f"{one.centre_id or 'county'}\n{one.name_zh}", *cells)
    console.print(table)


def _show_statement(console: Console, story: Story, statements: list[SettlementStatement]) -> None:
    names = {one.centre_id: one.name_zh for one in story.county.centres}
    statement = next(one for one in statements if one.centre_id == _SHOWN_CENTRE)
    table = Table(
        title=f"Statement of {statement.contract_id} 结算单 · {names[_SHOWN_CENTRE]} · draft 草稿",
        title_justify="left",
    )
    for column in ("line", "yuan 元", "how"):
        table.add_column(column, justify="right" if column == "yuan 元" else "left")
    for line in statement.lines:
        amount = yuan(line.amount_fen)
        shown = f"[bold]{amount}[/bold]" if line.counts else amount
        about = ", ".join(str(one) for one in line.about.values() if one is not None)
        name = f"{line.name_zh} {line.name}" + (f" ({about})" if about else "")
        table.add_row(name, shown, line.how or "")
    console.print(table)


# --- what is checked ----------------------------------------------------------------------------


def _expected_revenue(expected: Expected) -> dict[str, int]:
    mended = expected.mended_fen
    return {
        centre_id: amount + mended.get(centre_id, 0)
        for centre_id, amount in expected.revenue_fen.items()
    }


def _check_county(checks: Checks, story: Story, coverage: Coverage) -> None:
    checks.equal(
        "every village lies in exactly one regional field",
        (coverage.villages, coverage.gaps, coverage.partial, coverage.overlaps),
        (len(story.county.villages), [], [], []),
    )


def _check_settlement(
    checks: Checks,
    statements: list[SettlementStatement],
    books: Reconciliation,
    *,
    recomputed: bool,
) -> None:
    revenue = {one.centre_id: one.amount_fen for one in books.revenue_by_centre}
    of_county = books.booked_fen
    checks.equal(
        "each statement settles the revenue that attribution booked",
        {one.centre_id: one.lines[0].amount_fen for one in statements},
        {
            one.centre_id: of_county if one.centre_id is None else revenue.get(one.centre_id, 0)
            for one in statements
        },
    )
    checks.hold("every statement, computed again, is the same to the fen", held=recomputed)


def _check_intake(
    checks: Checks,
    expected: Expected,
    taken: Taken,
    mended: IntakeReport,
    books: Reconciliation,
) -> None:
    # Of the month played again, what was mended the first time is known in its wrong form too.
    known = mended.duplicates
    refused = expected.refused_forms | {
        "float_amount": expected.refused_forms["float_amount"] - known
    }
    checks.equal("every event was answered", taken.received, expected.events)
    checks.equal(
        "received = booked + duplicates + parked + refused + conflicts",
        sum(taken.outcomes.values()),
        taken.received,
    )
    right = expected.events - sum(refused.values()) - expected.other_bodies
    checks.equal(
        "every right event is booked, or known, or waits for another",
        sum(taken.outcomes[one] for one in (Outcome.BOOKED, Outcome.DUPLICATE, Outcome.PARKED)),
        right,
    )
    checks.hold(
        "events that came twice were booked once",
        held=taken.outcomes[Outcome.DUPLICATE] >= expected.duplicates,
    )
    checks.equal(
        "each wrong event has its code",
        {code: taken.codes[code] for code in (*_FORM_CODES.values(), "conflict")},
        {code: refused[form] for form, code in _FORM_CODES.items()}
        | {"conflict": expected.other_bodies},
    )
    checks.equal(
        "a mended event was replayed and booked",
        (mended.received, mended.booked + mended.duplicates),
        (1, 1),
    )
    kept = {code: refused[form] for form, code in _FORM_CODES.items()}
    kept["bad-amount"] -= 1 - known
    kept |= {"conflict": expected.other_bodies, "unknown-item": expected.unknown_refunds}
    checks.equal(
        "quarantine holds exactly what cannot be booked; what waited has booked itself",
        books.held,
        {code: count for code, count in kept.items() if count},
    )
    checks.equal(
        "revenue of every centre is what was billed there, to the fen",
        {one.centre_id: one.amount_fen for one in books.revenue_by_centre},
        _expected_revenue(expected),
    )
    checks.equal(
        "billed is what was sent, the mended event with it, to the fen",
        books.billed_fen,
        expected.billed_fen + sum(expected.mended_fen.values()),
    )
    checks.equal(
        "attributed = billed, and debits = credits",
        (books.difference_fen, books.ledger_sum_fen),
        (0, 0),
    )


_FORM_CODES = {
    "float_amount": "bad-amount",
    "missing_field": "malformed-event",
    "period_13": "bad-period",
    "unknown_type": "unknown-type",
}
"""The code with which intake must refuse each wrong form that the generator makes."""


def _check_planted(checks: Checks, planted: dict[str, list[Explanation]]) -> None:
    for case, found in planted.items():
        owners, rule, flags = _PLANTED_OWNERS[case]
        checks.hold(
            f"planted {case} ({len(found)}): owner, rule and flags are as the rules say",
            held=all(
                one.owner.centre_id in owners and one.owner.unit_rule == rule and one.flags == flags
                for one in found
            ),
        )
    checks.hold(
        "every decision comes out the same when its evidence is judged again",
        held=all(one.reproduced for found in planted.values() for one in found),
    )


def _check_work(
    checks: Checks, story: Story, done: list[Order], horizontal: Appraisal, final: Appraisal
) -> None:
    checks.equal(
        "every requested order is done and confirmed",
        sum(one.state is OrderState.CONFIRMED for one in done),
        story.sample.expected.orders,
    )
    checks.hold(
        "every order went to an engineer of the centre where the address lies (R25)",
        held=all(
            one.performer_centre_id
            == ("C1" if one.standard_address.startswith(TOWN_TOWNSHIPS) else "C2")
            and one.engineer_id is not None
            for one in done
        ),
    )
    checks.equal("one false completion is flagged (NL-15)", sum(bool(o.flags) for o in done), 1)
    bound = final.explanation.get("horizontal_appraisal_ids")
    checks.hold(
        "the final appraisal rests on the confirmed horizontal one (R26, R27)",
        held=horizontal.confirmed and bound == [horizontal.appraisal_id],
    )


def _check_targets(
    checks: Checks,
    expected: Expected,
    report: TargetReport,
    books: Reconciliation,
    *,
    planned: int,
) -> None:
    units: dict[str, TargetsOf] = {one.centre_id or "": one for one in report.centres}
    if report.county is not None:
        units[""] = report.county
    booked = {one.centre_id: one.amount_fen for one in books.revenue_by_centre}
    checks.equal(
        "kpi counts the same revenue, centre by centre",
        {one: component(units[one], "revenue") for one in booked},
        booked,
    )
    checks.hold("kpi judges the county", held=report.county is not None)
    judged = {
        (unit, name): (verdict, percent)
        for (unit, name), (verdict, percent) in expected.targets.items()
        # The year before was planned against the pay of so many subscribers' county.
        if planned == PLANNED_SUBSCRIBERS or name != "cash_flow_growth"
    }
    found = {key: target_of(units[key[0]], key[1]) for key in judged}
    checks.equal(
        "the verdicts are those of the plan's own figures",
        {key: str(one.verdict) for key, one in found.items()},
        {key: verdict for key, (verdict, _) in judged.items()},
    )
    if planned == PLANNED_SUBSCRIBERS:
        checks.equal(
            "the three targets are the plan's to the hundredth of a percent",
            {key: one.display for key, one in found.items()},
            {key: percent for key, (_, percent) in judged.items()},
        )


def _advice(stopped: PeerProblem | NotSeenError | httpx.TransportError) -> str:
    """Say what stopped the demo, and what to do about it."""
    if isinstance(stopped, PeerProblem):
        return (
            f"A service refused: {stopped}\nIf the data directory holds another county's data or"
            " an older version's, try again with a new one: huaxiao demo --data DIRECTORY"
        )
    again = "Its log above may say why. The demo may be run again: nothing is booked twice."
    if isinstance(stopped, NotSeenError):
        return f"{stopped}. {again}"
    return f"A service did not answer ({type(stopped).__name__}: {stopped}). {again}"
