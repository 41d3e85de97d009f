"""Erasures that two people do, names that are forgotten, and answers."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('erasures_done',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'erasure_id'], ['contracts.erasures.branch_id', 'contracts.erasures.erasure_id'], name=op.f('erasures_done_branch_id_erasure_id_erasures_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'erasure_id', name=op.f('erasures_done_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='contracts')
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='contracts')
    op.create_index('idempotency_keys_answers_index', 'idempotency_keys', ['branch_id', 'answered_at'], unique=False, schema='contracts', postgresql_where=sa.text('octet_length(body) > 0'))
    op.create_index('lead_customers_kept_index', 'lead_customers', ['branch_id', 'lead'], unique=False, schema='contracts', postgresql_where=sa.text('customer_name IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('lead_customers_kept_index', table_name='lead_customers', schema='contracts', postgresql_where=sa.text('customer_name IS NOT NULL'))
    op.drop_index('idempotency_keys_answers_index', table_name='idempotency_keys', schema='contracts', postgresql_where=sa.text('octet_length(body) > 0'))
    # What waits for a second person has erased nothing.
    op.execute(
        "UPDATE contracts.erasures asked SET erased = coalesce(done.erased, 0), waiting = coalesce(done.waiting, 0)"
        " FROM contracts.erasures every LEFT JOIN contracts.erasures_done done USING (branch_id, erasure_id)"
        " WHERE asked.erased IS NULL AND every.branch_id = asked.branch_id"
        " AND every.erasure_id = asked.erasure_id"
    )
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='contracts')
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='contracts')
    op.drop_table('erasures_done', schema='contracts')
