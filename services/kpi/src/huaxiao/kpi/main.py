"""The KPI service, wired."""

from fastapi import FastAPI

from huaxiao.kpi.alerts import api as alerts
from huaxiao.kpi.alerts.delivering import delivering
from huaxiao.kpi.alerts.looking import jobs
from huaxiao.kpi.alerts.store import known_branches
from huaxiao.kpi.answers import Answers, renewing
from huaxiao.kpi.comparisons import api as comparisons
from huaxiao.kpi.contributions import api as contributions
from huaxiao.kpi.definitions import api as definitions
from huaxiao.kpi.drill_down import api as drill_down
from huaxiao.kpi.drill_down.owners import Owners
from huaxiao.kpi.exports import api as exports
from huaxiao.kpi.figure_sets import api as figure_sets
from huaxiao.kpi.figures import api as figures
from huaxiao.kpi.forecasts import api as forecasts
from huaxiao.kpi.forecasts.running import Forecasters, forecasting
from huaxiao.kpi.gauges import GAUGES
from huaxiao.kpi.history import api as history
from huaxiao.kpi.measures import api as measures
from huaxiao.kpi.metrics import api as metrics
from huaxiao.kpi.settings import Settings
from huaxiao.kpi.tables import audit_log, feed, idempotency_keys, positions
from huaxiao.kpi.targets import api as targets
from huaxiao.kpi.unit_targets import api as unit_targets
from huaxiao.kpi.what_if import api as what_if
from huaxiao.kpi.worker import FOLLOWED
from huaxiao.shared import feed_standing, web
from huaxiao.shared.audit import api as audit
from huaxiao.shared.database import Database
from huaxiao.shared.following import following
from huaxiao.shared.personal import forget_answers
from huaxiao.shared.ticking import ticking
from huaxiao.shared.watching import watching


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(), service="kpi", pool_size=settings.pool_size
    )
    forecasters = Forecasters(settings.forecast_workers)
    app = web.service_app(
        service="kpi",
        title="Huaxiao KPI",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[
            targets.router,
            figures.router,
            measures.router,
            drill_down.router,
            history.router,
            definitions.router,
            figure_sets.router,
            unit_targets.router,
            comparisons.router,
            contributions.router,
            forecasts.router,
            what_if.router,
            alerts.router,
            exports.router,
            metrics.router,
            *audit.routes(),
            feed.router(),
            feed_standing.router(feed, positions=positions, sources=FOLLOWED),
        ],
        lifespan=web.together(
            following(settings, database, service="kpi", apply=FOLLOWED, positions=positions),
            forecasting,
            renewing,
            ticking(
                settings,
                database,
                jobs={
                    **jobs(forecasters),
                    "answers": forget_answers(audit_log, idempotency_keys, settings.answer_days),
                },
                branches=known_branches,
            ),
            delivering(settings, database),
            watching(settings, database, GAUGES),
        ),
    )
    app.state.owners = Owners(settings)
    app.state.answers = Answers(database)
    app.state.forecasters = forecasters
    app.state.webhook_hosts = settings.webhook_hosts
    return app
