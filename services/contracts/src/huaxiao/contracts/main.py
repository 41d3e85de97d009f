"""The contracts service, wired."""

from fastapi import FastAPI

from huaxiao.contracts.branches import api as branches
from huaxiao.contracts.contracts import api as contracts
from huaxiao.contracts.corrections import api as corrections
from huaxiao.contracts.deposits import api as deposits
from huaxiao.contracts.documents import api as documents
from huaxiao.contracts.documents.handlers import template
from huaxiao.contracts.exits import api as exits
from huaxiao.contracts.fields import api as fields
from huaxiao.contracts.gauges import GAUGES
from huaxiao.contracts.history import api as history
from huaxiao.contracts.leads import api as leads
from huaxiao.contracts.negative_list import api as negative_list
from huaxiao.contracts.organisation import api as organisation
from huaxiao.contracts.payroll import api as payroll
from huaxiao.contracts.personal import api as personal
from huaxiao.contracts.personal.handlers import erase, forget_names, known_branches
from huaxiao.contracts.refusals import api as refusals
from huaxiao.contracts.renewals import api as renewals
from huaxiao.contracts.reorganisations import api as reorganisations
from huaxiao.contracts.settings import Settings
from huaxiao.contracts.settlements import api as settlements
from huaxiao.contracts.settlements.peers import Peers
from huaxiao.contracts.shares import api as shares
from huaxiao.contracts.sheets import api as sheets
from huaxiao.contracts.signing import api as signing
from huaxiao.contracts.supplements import api as supplements
from huaxiao.contracts.suspensions import api as suspensions
from huaxiao.contracts.tables import audit_log, erasures, erasures_done, feed, idempotency_keys
from huaxiao.contracts.verification import api as verification
from huaxiao.contracts.violations import api as violations
from huaxiao.shared import feed_standing, web
from huaxiao.shared.audit import api as audit
from huaxiao.shared.database import Database
from huaxiao.shared.erased_again import erased_again
from huaxiao.shared.personal import forget_answers
from huaxiao.shared.ticking import ticking
from huaxiao.shared.watching import watching


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(), service="contracts", pool_size=settings.pool_size
    )
    app = web.service_app(
        service="contracts",
        title="Huaxiao contracts",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[
            branches.listing,
            branches.router,
            organisation.router,
            reorganisations.router,
            fields.router,
            contracts.router,
            signing.router,
            history.router,
            negative_list.router,
            violations.router,
            leads.router,
            personal.router,
            personal.erasing,
            shares.router,
            renewals.router,
            supplements.router,
            suspensions.router,
            exits.router,
            documents.router,
            sheets.router,
            settlements.router,
            corrections.router,
            deposits.router,
            payroll.router,
            refusals.router,
            verification.router,
            *audit.routes(),
            feed.router(),
            feed_standing.router(feed),
        ],
        lifespan=web.together(
            ticking(
                settings,
                database,
                jobs={
                    "names": forget_names(settings.name_days),
                    **erased_again(settings.anchor_file, audit_log, erasures, erasures_done, erase),
                    "answers": forget_answers(audit_log, idempotency_keys, settings.answer_days),
                },
                branches=known_branches,
            ),
            watching(settings, database, GAUGES),
        ),
    )
    app.state.peers = Peers(settings.attribution_url, settings.dispatch_url)
    app.state.contract_template = template(settings.contract_template)
    return app
