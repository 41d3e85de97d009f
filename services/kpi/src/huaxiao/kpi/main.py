"""The KPI service, wired."""

from fastapi import FastAPI

from huaxiao.kpi.answers import Answers
from huaxiao.kpi.comparisons import api as comparisons
from huaxiao.kpi.definitions import api as definitions
from huaxiao.kpi.drill_down import api as drill_down
from huaxiao.kpi.drill_down.owners import Owners
from huaxiao.kpi.figure_sets import api as figure_sets
from huaxiao.kpi.figures import api as figures
from huaxiao.kpi.history import api as history
from huaxiao.kpi.measures import api as measures
from huaxiao.kpi.settings import Settings
from huaxiao.kpi.tables import idempotency_keys, positions
from huaxiao.kpi.targets import api as targets
from huaxiao.kpi.unit_targets import api as unit_targets
from huaxiao.kpi.worker import FOLLOWED
from huaxiao.shared import web
from huaxiao.shared.database import Database
from huaxiao.shared.following import following


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(), service="kpi", pool_size=settings.pool_size
    )
    app = web.service_app(
        service="kpi",
        title="Huaxiao KPI",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
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
        ],
        lifespan=following(settings, database, service="kpi", apply=FOLLOWED, positions=positions),
    )
    app.state.owners = Owners(settings)
    app.state.answers = Answers(database)
    return app
