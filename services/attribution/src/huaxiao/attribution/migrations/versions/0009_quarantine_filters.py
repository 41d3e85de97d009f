"""Held events are found by their code and by who posted them, without reading all of a branch's."""

from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_index('held_events_code_index', 'held_events', ['branch_id', 'code', 'number'], unique=False, schema='attribution')
    op.create_index('held_events_poster_index', 'held_events', ['branch_id', 'posted_by', 'number'], unique=False, schema='attribution')


def downgrade() -> None:
    op.drop_index('held_events_poster_index', table_name='held_events', schema='attribution')
    op.drop_index('held_events_code_index', table_name='held_events', schema='attribution')
