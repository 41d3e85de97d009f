"""Erasures that two people do, photos that are erased, and answers that are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table('erasures_done',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'erasure_id'], ['dispatch.erasures.branch_id', 'dispatch.erasures.erasure_id'], name=op.f('erasures_done_branch_id_erasure_id_erasures_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'erasure_id', name=op.f('erasures_done_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('attachments_erased',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['branch_id', 'order_id', 'name'], ['dispatch.order_attachments.branch_id', 'dispatch.order_attachments.order_id', 'dispatch.order_attachments.name'], name='attachments_erased_attachment_fkey'),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'name', name=op.f('attachments_erased_pkey')),
    schema='dispatch'
    )
    op.create_index('attachments_erased_waiting_index', 'attachments_erased', ['branch_id'], unique=False, schema='dispatch', postgresql_where=sa.text('removed_at IS NULL'))
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='dispatch')
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='dispatch')
    op.create_index('idempotency_keys_answers_index', 'idempotency_keys', ['branch_id', 'answered_at'], unique=False, schema='dispatch', postgresql_where=sa.text('octet_length(body) > 0'))
    op.create_index(op.f('order_attachments_branch_id_sha256_index'), 'order_attachments', ['branch_id', 'sha256'], unique=False, schema='dispatch')
    op.drop_index(op.f('orders_personal_index'), table_name='orders', schema='dispatch', postgresql_where='((contact_note IS NOT NULL) OR (latitude IS NOT NULL))')
    op.create_index(op.f('orders_branch_id_customer_id_index'), 'orders', ['branch_id', 'customer_id'], unique=False, schema='dispatch')
    op.create_index('orders_kept_index', 'orders', ['branch_id', 'last_step_at'], unique=False, schema='dispatch', postgresql_where=sa.text('contact_note IS NOT NULL OR latitude IS NOT NULL OR customer_id IS NOT NULL AND length(standard_address) > 12'))


def downgrade() -> None:
    op.drop_index('orders_kept_index', table_name='orders', schema='dispatch', postgresql_where=sa.text('contact_note IS NOT NULL OR latitude IS NOT NULL OR customer_id IS NOT NULL AND length(standard_address) > 12'))
    op.drop_index(op.f('orders_branch_id_customer_id_index'), table_name='orders', schema='dispatch')
    op.create_index(op.f('orders_personal_index'), 'orders', ['branch_id', 'last_step_at'], unique=False, schema='dispatch', postgresql_where='((contact_note IS NOT NULL) OR (latitude IS NOT NULL))')
    op.drop_index(op.f('order_attachments_branch_id_sha256_index'), table_name='order_attachments', schema='dispatch')
    op.drop_index('idempotency_keys_answers_index', table_name='idempotency_keys', schema='dispatch', postgresql_where=sa.text('octet_length(body) > 0'))
    # What waits for a second person has erased nothing.
    op.execute(
        "UPDATE dispatch.erasures asked SET erased = coalesce(done.erased, 0), waiting = coalesce(done.waiting, 0)"
        " FROM dispatch.erasures every LEFT JOIN dispatch.erasures_done done USING (branch_id, erasure_id)"
        " WHERE asked.erased IS NULL AND every.branch_id = asked.branch_id"
        " AND every.erasure_id = asked.erasure_id"
    )
    op.alter_column('erasures', 'waiting',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='dispatch')
    op.alter_column('erasures', 'erased',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='dispatch')
    op.drop_index('attachments_erased_waiting_index', table_name='attachments_erased', schema='dispatch', postgresql_where=sa.text('removed_at IS NULL'))
    op.drop_table('attachments_erased', schema='dispatch')
    op.drop_table('erasures_done', schema='dispatch')
