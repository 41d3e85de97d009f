"""Notes and places of steps that may be erased are found by when they came."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.create_index('order_notes_kept_index', 'order_notes', ['branch_id', 'at'], unique=False, schema='dispatch', postgresql_where=sa.text("text <> '***'"))
    op.create_index('order_steps_places_index', 'order_steps', ['branch_id', 'at'], unique=False, schema='dispatch', postgresql_where=sa.text('latitude IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('order_steps_places_index', table_name='order_steps', schema='dispatch', postgresql_where=sa.text('latitude IS NOT NULL'))
    op.drop_index('order_notes_kept_index', table_name='order_notes', schema='dispatch', postgresql_where=sa.text("text <> '***'"))
