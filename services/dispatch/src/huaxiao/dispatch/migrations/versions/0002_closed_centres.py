"""Centres close from a day on."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.add_column('centres', sa.Column('closed_from', sa.Date(), nullable=True), schema='dispatch')


def downgrade() -> None:
    op.drop_column('centres', 'closed_from', schema='dispatch')
