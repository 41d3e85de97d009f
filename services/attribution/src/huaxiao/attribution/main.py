"""The attribution service, wired."""

from fastapi import FastAPI

from huaxiao.attribution.closing import api as closing
from huaxiao.attribution.commissions import api as commissions
from huaxiao.attribution.completeness import api as completeness
from huaxiao.attribution.county import api as county
from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.county.store import follow_agreements_again
from huaxiao.attribution.disputes import api as disputes
from huaxiao.attribution.explanations import api as explanations
from huaxiao.attribution.gauges import GAUGES
from huaxiao.attribution.intake import api as intake
from huaxiao.attribution.intake.turns import Turns
from huaxiao.attribution.ledger import api as ledger
from huaxiao.attribution.personal import api as personal
from huaxiao.attribution.personal.handlers import (
    erase,
    erase_what_waited,
    forget_bodies,
    known_branches,
)
from huaxiao.attribution.quarantine import api as quarantine
from huaxiao.attribution.receipts import api as receipts
from huaxiao.attribution.rule_sets import api as rule_sets
from huaxiao.attribution.rulings import api as rulings
from huaxiao.attribution.settings import Settings
from huaxiao.attribution.signed import api as signed
from huaxiao.attribution.signed.handlers import forget
from huaxiao.attribution.tables import (
    audit_log,
    erasures,
    erasures_done,
    feed,
    idempotency_keys,
    positions,
)
from huaxiao.attribution.unresolved import api as unresolved
from huaxiao.attribution.what_if import api as what_if
from huaxiao.attribution.worker import FOLLOWED
from huaxiao.shared import feed_standing, web
from huaxiao.shared.audit import api as audit
from huaxiao.shared.database import Database
from huaxiao.shared.erased_again import erased_again
from huaxiao.shared.following import following
from huaxiao.shared.personal import forget_answers
from huaxiao.shared.ticking import ticking
from huaxiao.shared.watching import watching


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(),
        service="attribution",
        pool_size=settings.pool_size,
    )
    app = web.service_app(
        service="attribution",
        title="Huaxiao attribution",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[
            intake.router,
            signed.router,
            signed.signed,
            quarantine.unplaced,
            quarantine.router,
            personal.unplaced,
            personal.router,
            personal.erasing,
            ledger.router,
            closing.router,
            explanations.router,
            completeness.unplaced,
            completeness.router,
            receipts.router,
            rule_sets.router,
            what_if.router,
            rulings.router,
            disputes.router,
            commissions.router,
            unresolved.router,
            county.router,
            *audit.routes(),
            feed.router(),
            feed_standing.router(feed, positions=positions, sources=FOLLOWED),
        ],
        lifespan=web.together(
            following(
                settings, database, service="attribution", apply=FOLLOWED, positions=positions
            ),
            ticking(
                settings,
                database,
                jobs={
                    "bodies": forget_bodies(settings.quarantine_days),
                    **erased_again(settings.anchor_file, audit_log, erasures, erasures_done, erase),
                    "what waited": erase_what_waited(),
                    "agreements": follow_agreements_again,
                    "signed messages": forget,
                    "answers": forget_answers(audit_log, idempotency_keys, settings.answer_days),
                },
                branches=known_branches,
            ),
            watching(settings, database, GAUGES),
        ),
    )
    app.state.counties = Counties()
    app.state.turns = Turns(database, app.state.counties)
    app.state.max_body_bytes = settings.max_body_bytes
    return app
