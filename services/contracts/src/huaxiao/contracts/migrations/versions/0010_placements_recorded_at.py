"""A place remembers when it was recorded."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.add_column('placements', sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=True, comment='null of what was always known'), schema='contracts')


def downgrade() -> None:
    op.drop_column('placements', 'recorded_at', schema='contracts')
