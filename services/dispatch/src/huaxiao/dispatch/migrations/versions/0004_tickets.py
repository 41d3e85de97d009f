"""Support tickets, their categories and clocks (R18, R19)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('listed_customers',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('field_id', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('term_from', sa.Integer(), nullable=False),
    sa.Column('term_to', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'customer_id', 'field_id', name=op.f('listed_customers_pkey')),
    schema='dispatch'
    )
    op.create_table('ticket_category_sets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('ticket_category_sets_pkey')),
    schema='dispatch'
    )
    op.create_table('tickets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ticket_id', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('category_version', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('about', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('raiser_centre_id', sa.Text(), nullable=False),
    sa.Column('raised_by', sa.Text(), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('owner_kind', sa.Text(), nullable=False),
    sa.Column('owner_centre_id', sa.Text(), nullable=True),
    sa.Column('owner_found', sa.Boolean(), nullable=False),
    sa.Column('boundary', sa.Text(), nullable=True),
    sa.Column('boundary_decided_by', sa.Text(), nullable=True),
    sa.Column('boundary_decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_reply_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_how', sa.Text(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('supervisor', sa.Text(), nullable=True),
    sa.Column('supervised_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('calendar', sa.Text(), nullable=False),
    sa.Column('steps', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'ticket_id', name=op.f('tickets_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('tickets_branch_id_owner_centre_id_index'), 'tickets', ['branch_id', 'owner_centre_id'], unique=False, schema='dispatch')
    op.create_index(op.f('tickets_branch_id_raiser_centre_id_index'), 'tickets', ['branch_id', 'raiser_centre_id'], unique=False, schema='dispatch')
    op.create_index(op.f('tickets_next_at_index'), 'tickets', ['next_at'], unique=False, schema='dispatch')
    op.create_table('ticket_category_activations',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('activated_by', sa.Text(), nullable=False),
    sa.Column('activated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'version'], ['dispatch.ticket_category_sets.branch_id', 'dispatch.ticket_category_sets.version'], name=op.f('ticket_category_activations_branch_id_version_ticket_category_sets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('ticket_category_activations_pkey')),
    sa.UniqueConstraint('branch_id', 'from_day', name=op.f('ticket_category_activations_branch_id_from_day_key')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('ticket_marks',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ticket_id', sa.Text(), nullable=False),
    sa.Column('timer', sa.Text(), nullable=False),
    sa.Column('percent', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('since', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('owner_kind', sa.Text(), nullable=False),
    sa.Column('owner_centre_id', sa.Text(), nullable=True),
    sa.Column('supervisor', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'ticket_id'], ['dispatch.tickets.branch_id', 'dispatch.tickets.ticket_id'], name=op.f('ticket_marks_branch_id_ticket_id_tickets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'ticket_id', 'timer', 'percent', 'since', name=op.f('ticket_marks_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('ticket_steps',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ticket_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('owner_kind', sa.Text(), nullable=False),
    sa.Column('owner_centre_id', sa.Text(), nullable=True),
    sa.Column('boundary', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'ticket_id'], ['dispatch.tickets.branch_id', 'dispatch.tickets.ticket_id'], name=op.f('ticket_steps_branch_id_ticket_id_tickets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'ticket_id', 'number', name=op.f('ticket_steps_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )


def downgrade() -> None:
    op.drop_table('ticket_steps', schema='dispatch')
    op.drop_table('ticket_marks', schema='dispatch')
    op.drop_table('ticket_category_activations', schema='dispatch')
    op.drop_index(op.f('tickets_next_at_index'), table_name='tickets', schema='dispatch')
    op.drop_index(op.f('tickets_branch_id_raiser_centre_id_index'), table_name='tickets', schema='dispatch')
    op.drop_index(op.f('tickets_branch_id_owner_centre_id_index'), table_name='tickets', schema='dispatch')
    op.drop_table('tickets', schema='dispatch')
    op.drop_table('ticket_category_sets', schema='dispatch')
    op.drop_table('listed_customers', schema='dispatch')
