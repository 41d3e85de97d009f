"""${message}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
% if down_revision is None:
from huaxiao.contracts.migrations import triggers

% endif
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
% if down_revision is None:
    triggers.create()
% endif


def downgrade() -> None:
% if down_revision is None:
    triggers.drop()
% endif
    ${downgrades if downgrades else "pass"}
