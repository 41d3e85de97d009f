"""The dispatch service, wired."""

from fastapi import FastAPI

from huaxiao.dispatch.agenda import api as agenda
from huaxiao.dispatch.appointments import api as appointments
from huaxiao.dispatch.appraisals import api as appraisals
from huaxiao.dispatch.attachments import api as attachments
from huaxiao.dispatch.attachments.handlers import remove_erased
from huaxiao.dispatch.attachments.objects import ObjectStore, store_of
from huaxiao.dispatch.clocks import api as clocks
from huaxiao.dispatch.crews import api as crews
from huaxiao.dispatch.earnings import api as earnings
from huaxiao.dispatch.fairness import api as fairness
from huaxiao.dispatch.gauges import GAUGES
from huaxiao.dispatch.orders import api as orders
from huaxiao.dispatch.parts import api as parts
from huaxiao.dispatch.personal import api as personal
from huaxiao.dispatch.personal.handlers import (
    erase,
    erase_what_waited,
    forget_contacts,
    forget_photos,
)
from huaxiao.dispatch.plan_rules import api as plan_rules
from huaxiao.dispatch.plans import api as plans
from huaxiao.dispatch.plans.running import planning
from huaxiao.dispatch.reverse_appraisals import api as reverse_appraisals
from huaxiao.dispatch.rounds import api as rounds
from huaxiao.dispatch.scorecards import api as scorecards
from huaxiao.dispatch.service_levels import api as service_levels
from huaxiao.dispatch.settings import Settings
from huaxiao.dispatch.shifts import api as shifts
from huaxiao.dispatch.tables import (
    audit_log,
    erasures,
    erasures_done,
    feed,
    idempotency_keys,
    positions,
)
from huaxiao.dispatch.ticket_categories import api as ticket_categories
from huaxiao.dispatch.tickets import api as tickets
from huaxiao.dispatch.tickets.timing import keeping_time
from huaxiao.dispatch.timer import JOBS, known_branches
from huaxiao.dispatch.work_done import api as work_done
from huaxiao.dispatch.worker import FOLLOWED
from huaxiao.shared import feed_standing, web
from huaxiao.shared.audit import api as audit
from huaxiao.shared.database import Database
from huaxiao.shared.erased_again import erased_again
from huaxiao.shared.following import following
from huaxiao.shared.personal import forget_answers
from huaxiao.shared.ticking import Job, ticking
from huaxiao.shared.watching import watching


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(), service="dispatch", pool_size=settings.pool_size
    )
    objects = store_of(settings)
    app = web.service_app(
        service="dispatch",
        title="Huaxiao dispatch",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[
            orders.router,
            personal.router,
            personal.erasing,
            parts.router,
            attachments.router,
            crews.router,
            appraisals.router,
            fairness.router,
            work_done.router,
            ticket_categories.router,
            tickets.router,
            reverse_appraisals.router,
            scorecards.router,
            service_levels.router,
            clocks.router,
            rounds.router,
            shifts.router,
            appointments.router,
            earnings.router,
            plan_rules.router,
            plans.router,
            agenda.router,
            *audit.routes(),
            feed.router(),
            feed_standing.router(feed, positions=positions, sources=FOLLOWED),
        ],
        lifespan=web.together(
            following(settings, database, service="dispatch", apply=FOLLOWED, positions=positions),
            keeping_time(settings, database),
            ticking(
                settings,
                database,
                jobs={**JOBS, **_erasing(settings, objects)},
                branches=known_branches,
            ),
            planning(settings, database),
            watching(settings, database, GAUGES),
        ),
    )
    app.state.objects = objects
    app.state.attachment_max_bytes = settings.attachment_max_bytes
    return app


def _erasing(settings: Settings, objects: ObjectStore | None) -> dict[str, Job]:
    """Return what erases personal data that need not be kept, by the name of each."""
    jobs = {
        "contacts": forget_contacts(settings.contact_days),
        "photos": forget_photos(settings.photo_days),
        **erased_again(settings.anchor_file, audit_log, erasures, erasures_done, erase),
        "what waited": erase_what_waited(),
        "answers": forget_answers(audit_log, idempotency_keys, settings.answer_days),
    }
    return jobs if objects is None else jobs | {"contents": remove_erased(objects)}
