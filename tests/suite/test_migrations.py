import pytest
from alembic import command
from sqlalchemy.engine import make_url
from support.postgres import PreparedDatabase

from huaxiao.shared.migrations import alembic_config
from huaxiao.shared.provision import SERVICES, owner_role


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_schema_is_what_the_tables_say(
    service: str, prepared: PreparedDatabase
) -> None:
    config = alembic_config(service, make_url(prepared.url(owner_role(service))))

    command.check(config)
