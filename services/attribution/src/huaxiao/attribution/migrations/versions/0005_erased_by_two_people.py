"""Erasures that two people do, and answers that are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('erasures_done',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'erasure_id'], ['attribution.erasures.branch_id', 'attribution.erasures.erasure_id'], name=op.f('erasures_done_branch_id_erasure_id_erasures_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'erasure_id', name=op.f('erasures_done_pkey')),
    schema='attribution',
    info={'append_only': True}
    )
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='attribution')
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='attribution')
    op.create_index('idempotency_keys_answers_index', 'idempotency_keys', ['branch_id', 'answered_at'], unique=False, schema='attribution', postgresql_where=sa.text('octet_length(body) > 0'))


def downgrade() -> None:
    op.drop_index('idempotency_keys_answers_index', table_name='idempotency_keys', schema='attribution', postgresql_where=sa.text('octet_length(body) > 0'))
    # What waits for a second person has erased nothing.
    op.execute(
        "UPDATE attribution.erasures asked SET erased = coalesce(done.erased, 0), waiting = coalesce(done.waiting, 0)"
        " FROM attribution.erasures every LEFT JOIN attribution.erasures_done done USING (branch_id, erasure_id)"
        " WHERE asked.erased IS NULL AND every.branch_id = asked.branch_id"
        " AND every.erasure_id = asked.erasure_id"
    )
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='attribution')
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='attribution')
    op.drop_table('erasures_done', schema='attribution')
