"""Shifts, leave, and the appointments that take of their time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('appointment_rules',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('set_by', sa.Text(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'number', name=op.f('appointment_rules_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appointments',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appointment_id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('skill', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('visit_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('visit_to', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('moves', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'appointment_id', name=op.f('appointments_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('appointments_branch_id_order_id_index'), 'appointments', ['branch_id', 'order_id'], unique=True, schema='dispatch', postgresql_where=sa.text("state IN ('held', 'booked')"))
    op.create_index(op.f('appointments_branch_id_starts_at_index'), 'appointments', ['branch_id', 'starts_at'], unique=False, schema='dispatch')
    op.create_table('leaves',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('leave_id', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('cancelled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'person_id', 'leave_id', name=op.f('leaves_pkey')),
    schema='dispatch'
    )
    op.create_table('shifts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('begins_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'person_id', 'begins_at', name=op.f('shifts_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('shifts_branch_id_begins_at_index'), 'shifts', ['branch_id', 'begins_at'], unique=False, schema='dispatch')
    op.create_table('visit_quarters',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('appointment_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appointment_id'], ['dispatch.appointments.branch_id', 'dispatch.appointments.appointment_id'], name=op.f('visit_quarters_branch_id_appointment_id_appointments_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'person_id', 'starts_at', name=op.f('visit_quarters_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('visit_quarters_branch_id_appointment_id_index'), 'visit_quarters', ['branch_id', 'appointment_id'], unique=False, schema='dispatch')


def downgrade() -> None:
    op.drop_index(op.f('visit_quarters_branch_id_appointment_id_index'), table_name='visit_quarters', schema='dispatch')
    op.drop_table('visit_quarters', schema='dispatch')
    op.drop_index(op.f('shifts_branch_id_begins_at_index'), table_name='shifts', schema='dispatch')
    op.drop_table('shifts', schema='dispatch')
    op.drop_table('leaves', schema='dispatch')
    op.drop_index(op.f('appointments_branch_id_starts_at_index'), table_name='appointments', schema='dispatch')
    op.drop_index(op.f('appointments_branch_id_order_id_index'), table_name='appointments', schema='dispatch', postgresql_where=sa.text("state IN ('held', 'booked')"))
    op.drop_table('appointments', schema='dispatch')
    op.drop_table('appointment_rules', schema='dispatch')
