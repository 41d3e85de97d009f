"""Asks the attribution service, posts events to it, and reads its feed."""

from collections.abc import AsyncIterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from huaxiao.shared.clients.base import FakeFeed
from huaxiao.shared.clients.erasing import ErasingClient
from huaxiao.shared.pages import MAX_PAGE, Page
from huaxiao.shared.wire.attribution import (
    ActivationIn,
    Balance,
    BilledLines,
    Commission,
    CommissionTerms,
    CommissionTermsIn,
    CommissionTotal,
    Completeness,
    DismissalIn,
    Dispute,
    DisputeDecisionIn,
    DisputeIn,
    DisputeLimits,
    DisputeState,
    Entry,
    Explanation,
    HeldEvent,
    HeldState,
    IntakeReport,
    Outcome,
    Period,
    PeriodBooks,
    PleaIn,
    Reconciliation,
    ReplayIn,
    RuleSet,
    RuleSetIn,
    Ruling,
    RulingIn,
    RulingPreview,
    SenderSequence,
    Shortfall,
    Standing,
    Statement,
    UnresolvedApprovalIn,
    UnresolvedAssignment,
    UnresolvedAssignmentIn,
    UnresolvedLimits,
    UnresolvedLine,
    Verification,
    WhatIf,
    WhatIfIn,
)
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE
from huaxiao.shared.wire.personal import FullViewIn, HeldBody, LineAddresses
from huaxiao.shared.wire.signed_sources import NewSecretIn, SignedSource, SignedSourceIn


class AttributionClient(ErasingClient):
    """A typed connection to the attribution service."""

    async def post_events(self, events: Sequence[Any]) -> IntakeReport:
        """Post business events; a batch may be sent again, known events are booked once."""
        answer = await self._send(
            "POST",
            "/v1/events",
            content=msgspec.json.encode(events),
            headers={"Content-Type": FEED_MEDIA_TYPE},
        )
        return IntakeReport.model_validate_json(answer.content)

    async def post_stream(
        self, lines: AsyncIterable[bytes], *, encoding: str | None = None
    ) -> IntakeReport:
        """Post events as a stream of lines, packed with gzip or zstd or not; it is not retried."""
        headers = {"Content-Type": "application/x-ndjson"}
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        answer = await self._stream("/v1/events", lines, headers=headers)
        return IntakeReport.model_validate_json(answer.content)

    async def standing(self, branch_id: int) -> Standing:
        """Return what the service has learned of a branch from contracts so far."""
        found: Standing = await self._get(Standing, f"/v1/branches/{branch_id}/standing")
        return found

    async def quarantine(
        self,
        branch_id: int,
        *,
        state: HeldState | None = None,
        code: str | None = None,
        outcome: Outcome | None = None,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = MAX_PAGE,
    ) -> Page[HeldEvent]:
        """Return a page of the events that could not be booked, oldest first."""
        page: Page[HeldEvent] = await self._get(
            Page[HeldEvent],
            f"/v1/branches/{branch_id}/quarantine",
            params={
                "state": state,
                "code": code,
                "outcome": outcome,
                "source": source,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return page

    async def held_event(self, branch_id: int, held_id: str) -> HeldEvent:
        """Return an event in quarantine."""
        found: HeldEvent = await self._get(
            HeldEvent, f"/v1/branches/{branch_id}/quarantine/{held_id}"
        )
        return found

    async def dismiss(self, branch_id: int, held_id: str, reason: str) -> HeldEvent:
        """Take a held event out of what waits, with a reason; it stays as it came."""
        dismissed: HeldEvent = await self._post(
            HeldEvent,
            f"/v1/branches/{branch_id}/quarantine/{held_id}/dismissal",
            DismissalIn(reason=reason),
        )
        return dismissed

    async def see_held_body(self, branch_id: int, held_id: str, given: FullViewIn) -> HeldBody:
        """Return a held event as it came; the view goes on record."""
        seen: HeldBody = await self._post(
            HeldBody, f"/v1/branches/{branch_id}/quarantine/{held_id}/full-views", given
        )
        return seen

    async def see_line_addresses(
        self, branch_id: int, subscription_id: str, given: FullViewIn
    ) -> LineAddresses:
        """Return where a line is; the view goes on record."""
        seen: LineAddresses = await self._post(
            LineAddresses,
            f"/v1/branches/{branch_id}/subscriptions/{subscription_id}/full-views",
            given,
        )
        return seen

    async def put_signed_source(
        self, branch_id: int, source_id: str, given: SignedSourceIn
    ) -> SignedSource:
        """Register a sender that signs; its secret is told once."""
        made: SignedSource = await self._put(
            SignedSource, f"/v1/branches/{branch_id}/signed-sources/{source_id}", given
        )
        return made

    async def make_secret(self, branch_id: int, source_id: str, given: NewSecretIn) -> SignedSource:
        """Make a new secret for a sender, told once."""
        made: SignedSource = await self._post(
            SignedSource, f"/v1/branches/{branch_id}/signed-sources/{source_id}/secrets", given
        )
        return made

    async def replay(
        self, branch_id: int, held_id: str, event: dict[str, Any] | None = None
    ) -> IntakeReport:
        """Try a held event again, mended or as it came."""
        report: IntakeReport = await self._post(
            IntakeReport,
            f"/v1/branches/{branch_id}/quarantine/{held_id}/replay",
            ReplayIn(event=event),
        )
        return report

    async def unplaced(
        self,
        *,
        state: HeldState | None = None,
        code: str | None = None,
        outcome: Outcome | None = None,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = MAX_PAGE,
    ) -> Page[HeldEvent]:
        """Return a page of the caller's own events that belong to no branch, oldest first."""
        page: Page[HeldEvent] = await self._get(
            Page[HeldEvent],
            "/v1/quarantine",
            params={
                "state": state,
                "code": code,
                "outcome": outcome,
                "source": source,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return page

    async def unplaced_event(self, held_id: str) -> HeldEvent:
        """Return one of the caller's own events that belong to no branch."""
        found: HeldEvent = await self._get(HeldEvent, f"/v1/quarantine/{held_id}")
        return found

    async def replay_unplaced(
        self, held_id: str, event: dict[str, Any] | None = None
    ) -> IntakeReport:
        """Try an event again that belongs to no branch; it goes to the branch it names."""
        report: IntakeReport = await self._post(
            IntakeReport, f"/v1/quarantine/{held_id}/replay", ReplayIn(event=event)
        )
        return report

    async def dismiss_unplaced(self, held_id: str, reason: str) -> HeldEvent:
        """Take an event that belongs to no branch out of what waits, with a reason."""
        dismissed: HeldEvent = await self._post(
            HeldEvent, f"/v1/quarantine/{held_id}/dismissal", DismissalIn(reason=reason)
        )
        return dismissed

    async def see_unplaced_body(self, held_id: str, given: FullViewIn) -> HeldBody:
        """Return an event that belongs to no branch as it came; the view goes on record."""
        seen: HeldBody = await self._post(HeldBody, f"/v1/quarantine/{held_id}/full-views", given)
        return seen

    async def explanation(
        self, branch_id: int, subscription_id: str, *, period: int | None = None
    ) -> Explanation:
        """Return why a subscription belongs where it does; in the newest period when none is named."""
        found: Explanation = await self._get(
            Explanation,
            f"/v1/branches/{branch_id}/subscriptions/{subscription_id}/explanation",
            params={"period": period},
        )
        return found

    async def balances(
        self,
        branch_id: int,
        *,
        period: int,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> list[Balance]:
        """Return every balance of a period, as it is now or as it was known at a moment."""
        return await self._all(
            Balance,
            f"/v1/branches/{branch_id}/balances",
            params={
                "period": period,
                "centre_id": centre_id,
                "known_at": known_at and known_at.isoformat(),
            },
        )

    async def billed_lines(
        self,
        branch_id: int,
        *,
        period_from: int,
        period_to: int,
        known_at: datetime | None = None,
    ) -> BilledLines:
        """Return how many lines were billed in some months, as known at a moment."""
        found: BilledLines = await self._get(
            BilledLines,
            f"/v1/branches/{branch_id}/billed-lines",
            params={
                "period_from": period_from,
                "period_to": period_to,
                "known_at": known_at and known_at.isoformat(),
            },
        )
        return found

    async def entries(
        self,
        branch_id: int,
        *,
        period: int | None = None,
        centre_id: str | None = None,
        subscription_id: str | None = None,
        account: str | None = None,
        known_at: datetime | None = None,
        cursor: str | None = None,
        limit: int = MAX_PAGE,
    ) -> Page[Entry]:
        """Return a page of the ledger, oldest first."""
        page: Page[Entry] = await self._get(
            Page[Entry],
            f"/v1/branches/{branch_id}/entries",
            params={
                "period": period,
                "centre_id": centre_id,
                "subscription_id": subscription_id,
                "account": account,
                "known_at": known_at and known_at.isoformat(),
                "cursor": cursor,
                "limit": limit,
            },
        )
        return page

    async def completeness(self, branch_id: int) -> list[Completeness]:
        """Return what each sender's events came to, day by day."""
        return await self._all(Completeness, f"/v1/branches/{branch_id}/completeness")

    async def completeness_page(
        self,
        branch_id: int,
        *,
        first: date,
        last: date,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = MAX_PAGE,
    ) -> Page[Completeness]:
        """Return a page of what senders' events of some days came to, the earliest day first."""
        page: Page[Completeness] = await self._get(
            Page[Completeness],
            f"/v1/branches/{branch_id}/completeness",
            params={
                "from": first.isoformat(),
                "to": last.isoformat(),
                "source": source,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return page

    async def unplaced_completeness(self, *, first: date | None = None) -> list[Completeness]:
        """Return the same of the caller's own events that belong to no branch, from a day on."""
        return await self._all(
            Completeness, "/v1/completeness", params={"from": first and first.isoformat()}
        )

    async def sequences(self, branch_id: int) -> list[SenderSequence]:
        """Return which of their running numbers senders' events have not carried."""
        return await self._all(SenderSequence, f"/v1/branches/{branch_id}/sequences")

    async def unresolved(
        self,
        branch_id: int,
        *,
        period: int,
        flag: str | None = None,
        assignee_id: str | None = None,
        unassigned: bool | None = None,
    ) -> list[UnresolvedLine]:
        """Return a month's lines that lie in the pool or carry a flag."""
        return await self._all(
            UnresolvedLine,
            f"/v1/branches/{branch_id}/unresolved",
            params={
                "period": period,
                "flag": flag,
                "assignee_id": assignee_id,
                "unassigned": unassigned,
            },
        )

    async def assign_unresolved(
        self, branch_id: int, subscription_id: str, person_id: str | None
    ) -> UnresolvedAssignment:
        """Say who is to work off a line; None is nobody."""
        assigned: UnresolvedAssignment = await self._put(
            UnresolvedAssignment,
            f"/v1/branches/{branch_id}/unresolved/{subscription_id}/assignee",
            UnresolvedAssignmentIn(person_id=person_id),
        )
        return assigned

    async def unresolved_assignments(
        self, branch_id: int, subscription_id: str
    ) -> list[UnresolvedAssignment]:
        """Return who was to work off a line, first things first."""
        return await self._all(
            UnresolvedAssignment,
            f"/v1/branches/{branch_id}/unresolved/{subscription_id}/assignments",
        )

    async def unresolved_limits(self, branch_id: int) -> UnresolvedLimits:
        """Return how much of a month may be unresolved, and for how long a line."""
        found: UnresolvedLimits = await self._get(
            UnresolvedLimits, f"/v1/branches/{branch_id}/unresolved-limits"
        )
        return found

    async def put_unresolved_limits(
        self, branch_id: int, given: UnresolvedLimits
    ) -> UnresolvedLimits:
        """Set how much of a month may be unresolved, and for how long a line."""
        kept: UnresolvedLimits = await self._put(
            UnresolvedLimits, f"/v1/branches/{branch_id}/unresolved-limits", given
        )
        return kept

    async def shortfalls(self, branch_id: int, *, period: int) -> list[Shortfall]:
        """Return a month's payments of which less reached the bank than was taken (NL-05)."""
        return await self._all(
            Shortfall, f"/v1/branches/{branch_id}/shortfalls", params={"period": period}
        )

    async def commissions(
        self, branch_id: int, *, period: int, person_id: str | None = None
    ) -> list[Commission]:
        """Return a month's commissions of leads, down to their events."""
        return await self._all(
            Commission,
            f"/v1/branches/{branch_id}/commissions",
            params={"period": period, "person_id": person_id},
        )

    async def commission_totals(self, branch_id: int, *, period: int) -> list[CommissionTotal]:
        """Return what each person has of a month's commissions."""
        return await self._all(
            CommissionTotal,
            f"/v1/branches/{branch_id}/commission-totals",
            params={"period": period},
        )

    async def put_commission_terms(
        self, branch_id: int, terms_id: str, given: CommissionTermsIn
    ) -> CommissionTerms:
        """Propose what leads earn that do not say it themselves."""
        drafted: CommissionTerms = await self._put(
            CommissionTerms, f"/v1/branches/{branch_id}/commission-terms/{terms_id}", given
        )
        return drafted

    async def approve_commission_terms(self, branch_id: int, terms_id: str) -> CommissionTerms:
        """Put terms in force that somebody else has proposed."""
        approved: CommissionTerms = await self._post(
            CommissionTerms,
            f"/v1/branches/{branch_id}/commission-terms/{terms_id}/approve",
            None,
        )
        return approved

    async def reconciliation(self, branch_id: int, period: int) -> Reconciliation:
        """Return the books of a period against their events."""
        found: Reconciliation = await self._get(
            Reconciliation, f"/v1/branches/{branch_id}/reconciliation", params={"period": period}
        )
        return found

    async def reconciliations(self, branch_id: int) -> list[PeriodBooks]:
        """Return the books of every period against its documents, the newest first."""
        return await self._all(PeriodBooks, f"/v1/branches/{branch_id}/reconciliations")

    async def periods(self, branch_id: int) -> list[Period]:
        """Return the branch's periods, open and closed, in order."""
        return await self._all(Period, f"/v1/branches/{branch_id}/periods")

    async def period(self, branch_id: int, period: int) -> Period:
        """Return where a period stands, and what is unresolved of it."""
        found: Period = await self._get(Period, f"/v1/branches/{branch_id}/periods/{period}")
        return found

    async def approve_unresolved(self, branch_id: int, period: int, reason: str) -> Period:
        """Approve that a period is closed with what is unresolved of it now."""
        approved: Period = await self._post(
            Period,
            f"/v1/branches/{branch_id}/periods/{period}/unresolved-approval",
            UnresolvedApprovalIn(reason=reason),
        )
        return approved

    async def begin_closing(self, branch_id: int, period: int) -> Period:
        """Begin to close a period; somebody else closes it."""
        begun: Period = await self._post(
            Period, f"/v1/branches/{branch_id}/periods/{period}/closing", None
        )
        return begun

    async def close_period(self, branch_id: int, period: int) -> Period:
        """Close and seal a period that somebody else has begun to close."""
        closed: Period = await self._post(
            Period, f"/v1/branches/{branch_id}/periods/{period}/close", None
        )
        return closed

    async def verification(self, branch_id: int, period: int) -> Verification:
        """Return whether a closed period is as it was sealed."""
        found: Verification = await self._get(
            Verification, f"/v1/branches/{branch_id}/periods/{period}/verification"
        )
        return found

    async def statement(
        self, branch_id: int, centre_id: str, *, period: int, known_at: datetime | None = None
    ) -> Statement:
        """Return a centre's period as it was known at a moment."""
        found: Statement = await self._get(
            Statement,
            f"/v1/branches/{branch_id}/statements/{centre_id}",
            params={"period": period, "known_at": known_at and known_at.isoformat()},
        )
        return found

    async def put_rule_set(self, branch_id: int, name: str, given: RuleSetIn) -> RuleSet:
        """Draft a rule set, or rewrite a draft."""
        drafted: RuleSet = await self._put(
            RuleSet, f"/v1/branches/{branch_id}/rule-sets/{name}", given
        )
        return drafted

    async def rule_set(self, branch_id: int, name: str) -> RuleSet:
        """Return a rule set of the branch, or the default one."""
        found: RuleSet = await self._get(RuleSet, f"/v1/branches/{branch_id}/rule-sets/{name}")
        return found

    async def rule_sets(self, branch_id: int) -> list[RuleSet]:
        """Return the branch's own rule sets by name; the default one is none of them."""
        return await self._all(RuleSet, f"/v1/branches/{branch_id}/rule-sets")

    async def activate_rule_set(
        self, branch_id: int, name: str, from_period: int, digest: str
    ) -> RuleSet:
        """Let a rule set that somebody else has drafted decide from an open period on."""
        activated: RuleSet = await self._post(
            RuleSet,
            f"/v1/branches/{branch_id}/rule-sets/{name}/activate",
            ActivationIn(from_period=from_period, digest=digest),
        )
        return activated

    async def rulings(self, branch_id: int) -> list[Ruling]:
        """Return rulings, proposed and in force."""
        return await self._all(Ruling, f"/v1/branches/{branch_id}/rulings")

    async def ruling(self, branch_id: int, ruling_id: str) -> Ruling:
        """Return a ruling."""
        found: Ruling = await self._get(Ruling, f"/v1/branches/{branch_id}/rulings/{ruling_id}")
        return found

    async def put_ruling(self, branch_id: int, ruling_id: str, given: RulingIn) -> Ruling:
        """Propose whose subscriptions are to be."""
        drafted: Ruling = await self._put(
            Ruling, f"/v1/branches/{branch_id}/rulings/{ruling_id}", given
        )
        return drafted

    async def approve_ruling(self, branch_id: int, ruling_id: str) -> Ruling:
        """Put a ruling in force that somebody else has proposed."""
        approved: Ruling = await self._post(
            Ruling, f"/v1/branches/{branch_id}/rulings/{ruling_id}/approve", None
        )
        return approved

    async def ruling_preview(self, branch_id: int, ruling_id: str) -> RulingPreview:
        """Return what approving a ruling would move."""
        found: RulingPreview = await self._get(
            RulingPreview, f"/v1/branches/{branch_id}/rulings/{ruling_id}/preview"
        )
        return found

    async def dispute_limits(self, branch_id: int) -> DisputeLimits:
        """Return how long the steps of a dispute may take."""
        found: DisputeLimits = await self._get(
            DisputeLimits, f"/v1/branches/{branch_id}/dispute-limits"
        )
        return found

    async def put_dispute_limits(self, branch_id: int, given: DisputeLimits) -> DisputeLimits:
        """Set how long the steps of a dispute may take."""
        kept: DisputeLimits = await self._put(
            DisputeLimits, f"/v1/branches/{branch_id}/dispute-limits", given
        )
        return kept

    async def disputes(
        self,
        branch_id: int,
        *,
        state: DisputeState | None = None,
        frozen: bool | None = None,
        is_open: bool | None = None,
        subscription_id: str | None = None,
    ) -> list[Dispute]:
        """Return the disputes that the caller may see."""
        return await self._all(
            Dispute,
            f"/v1/branches/{branch_id}/disputes",
            params={
                "state": state,
                "frozen": frozen,
                "open": is_open,
                "subscription_id": subscription_id,
            },
        )

    async def dispute(self, branch_id: int, dispute_id: str) -> Dispute:
        """Return a dispute with everything that was said and done."""
        found: Dispute = await self._get(Dispute, f"/v1/branches/{branch_id}/disputes/{dispute_id}")
        return found

    async def raise_dispute(self, branch_id: int, dispute_id: str, given: DisputeIn) -> Dispute:
        """Contest whose a line is."""
        raised: Dispute = await self._put(
            Dispute, f"/v1/branches/{branch_id}/disputes/{dispute_id}", given
        )
        return raised

    async def reply_to_dispute(self, branch_id: int, dispute_id: str, given: PleaIn) -> Dispute:
        """Answer for the other centre."""
        return await self._step(branch_id, dispute_id, "reply", given)

    async def propose_decision(
        self, branch_id: int, dispute_id: str, given: DisputeDecisionIn
    ) -> Dispute:
        """Propose the decision of a dispute, or of its appeal."""
        return await self._step(branch_id, dispute_id, "decision", given)

    async def confirm_decision(self, branch_id: int, dispute_id: str) -> Dispute:
        """Confirm what somebody else has proposed."""
        return await self._step(branch_id, dispute_id, "confirm", None)

    async def appeal_dispute(self, branch_id: int, dispute_id: str, given: PleaIn) -> Dispute:
        """Take a dispute to the general manager."""
        return await self._step(branch_id, dispute_id, "appeal", given)

    async def withdraw_dispute(self, branch_id: int, dispute_id: str) -> Dispute:
        """Withdraw a claim that is not decided yet."""
        return await self._step(branch_id, dispute_id, "withdraw", None)

    async def lapse_dispute(self, branch_id: int, dispute_id: str) -> Dispute:
        """End a dispute whose appeal nobody has decided in time."""
        return await self._step(branch_id, dispute_id, "lapse", None)

    async def _step(
        self, branch_id: int, dispute_id: str, step: str, given: PleaIn | DisputeDecisionIn | None
    ) -> Dispute:
        after: Dispute = await self._post(
            Dispute, f"/v1/branches/{branch_id}/disputes/{dispute_id}/{step}", given
        )
        return after

    async def what_if(self, branch_id: int, given: WhatIfIn) -> WhatIf:
        """Return what other rules or fields would change."""
        found: WhatIf = await self._post(WhatIf, f"/v1/branches/{branch_id}/what-if", given)
        return found


class FakeAttribution(FakeFeed):
    """Stands in for the attribution service's feed."""
