"""Orders from front ends and monitoring, and what they are made of; crews (R13, R17, R25)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('crews',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('crew_id', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('members', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('vehicle', sa.Text(), nullable=True),
    sa.Column('company', sa.Text(), nullable=True),
    sa.Column('skills', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'crew_id', name=op.f('crews_pkey')),
    schema='dispatch'
    )
    op.create_table('order_attachments',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_attachments_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'name', name=op.f('order_attachments_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('order_materials',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('material_id', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('planned', sa.Integer(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.CheckConstraint('planned >= 0 AND used >= 0', name=op.f('order_materials_quantities_check')),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_materials_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'material_id', name=op.f('order_materials_pkey')),
    schema='dispatch'
    )
    op.create_table('order_notes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_notes_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'number', name=op.f('order_notes_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('order_predecessors',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('predecessor_id', sa.Text(), nullable=False),
    sa.CheckConstraint('order_id <> predecessor_id', name=op.f('order_predecessors_another_check')),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_predecessors_branch_id_order_id_orders_fkey')),
    sa.ForeignKeyConstraint(['branch_id', 'predecessor_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_predecessors_branch_id_predecessor_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'predecessor_id', name=op.f('order_predecessors_pkey')),
    schema='dispatch'
    )
    op.create_table('order_serials',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('serial_number', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('material_id', sa.Text(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('holds', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_serials_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'serial_number', 'order_id', name=op.f('order_serials_pkey')),
    schema='dispatch'
    )
    op.create_index('order_serials_held_by_one', 'order_serials', ['branch_id', 'serial_number'], unique=True, schema='dispatch', postgresql_where=sa.text('holds'))
    op.create_table('order_tasks',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('task_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('needed_skill', sa.Text(), nullable=True),
    sa.Column('required', sa.Boolean(), nullable=False),
    sa.Column('done_by', sa.Text(), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_tasks_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'task_id', name=op.f('order_tasks_pkey')),
    schema='dispatch'
    )
    op.add_column('order_steps', sa.Column('crew_id', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('order_steps', sa.Column('centre_id', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('order_steps', sa.Column('opens_at', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('order_steps', sa.Column('closes_at', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('order_steps', sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='dispatch')
    op.add_column('order_steps', sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('source', sa.Text(), server_default='attribution', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('reference', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('request_digest', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('priority', sa.Integer(), server_default='3', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('needed_skills', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('unmet_skills', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('wished_from', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('wished_to', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('appointed_from', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('appointed_to', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('contact_note', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('crew_id', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('suspended_in', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('visits', sa.Integer(), server_default='0', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('reworks', sa.Integer(), server_default='0', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('handovers', sa.Integer(), server_default='0', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('held', sa.Boolean(), server_default='false', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('photo_needed', sa.Boolean(), server_default='false', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('shown_by', sa.Text(), nullable=True), schema='dispatch')
    op.alter_column('orders', 'customer_id',
               existing_type=sa.TEXT(),
               nullable=True,
               schema='dispatch')
    op.create_index(op.f('order_steps_branch_id_step_at_index'), 'order_steps', ['branch_id', 'step', 'at'], unique=False, schema='dispatch')
    op.create_index(op.f('orders_branch_id_crew_id_state_index'), 'orders', ['branch_id', 'crew_id', 'state'], unique=False, schema='dispatch')
    op.create_unique_constraint(op.f('orders_branch_id_source_reference_key'), 'orders', ['branch_id', 'source', 'reference'], schema='dispatch')


def downgrade() -> None:
    op.drop_constraint(op.f('orders_branch_id_source_reference_key'), 'orders', schema='dispatch', type_='unique')
    op.drop_index(op.f('order_steps_branch_id_step_at_index'), table_name='order_steps', schema='dispatch')
    op.drop_index(op.f('orders_branch_id_crew_id_state_index'), table_name='orders', schema='dispatch')
    # Before, every order had a customer.
    op.execute("UPDATE dispatch.orders SET customer_id = 'unknown' WHERE customer_id IS NULL")
    op.alter_column('orders', 'customer_id',
               existing_type=sa.TEXT(),
               nullable=False,
               schema='dispatch')
    op.drop_column('orders', 'shown_by', schema='dispatch')
    op.drop_column('orders', 'photo_needed', schema='dispatch')
    op.drop_column('orders', 'held', schema='dispatch')
    op.drop_column('orders', 'handovers', schema='dispatch')
    op.drop_column('orders', 'reworks', schema='dispatch')
    op.drop_column('orders', 'visits', schema='dispatch')
    op.drop_column('orders', 'suspended_in', schema='dispatch')
    op.drop_column('orders', 'crew_id', schema='dispatch')
    op.drop_column('orders', 'contact_note', schema='dispatch')
    op.drop_column('orders', 'longitude', schema='dispatch')
    op.drop_column('orders', 'latitude', schema='dispatch')
    op.drop_column('orders', 'appointed_to', schema='dispatch')
    op.drop_column('orders', 'appointed_from', schema='dispatch')
    op.drop_column('orders', 'wished_to', schema='dispatch')
    op.drop_column('orders', 'wished_from', schema='dispatch')
    op.drop_column('orders', 'unmet_skills', schema='dispatch')
    op.drop_column('orders', 'needed_skills', schema='dispatch')
    op.drop_column('orders', 'priority', schema='dispatch')
    op.drop_column('orders', 'request_digest', schema='dispatch')
    op.drop_column('orders', 'reference', schema='dispatch')
    op.drop_column('orders', 'source', schema='dispatch')
    op.drop_column('order_steps', 'longitude', schema='dispatch')
    op.drop_column('order_steps', 'latitude', schema='dispatch')
    op.drop_column('order_steps', 'closes_at', schema='dispatch')
    op.drop_column('order_steps', 'opens_at', schema='dispatch')
    op.drop_column('order_steps', 'centre_id', schema='dispatch')
    op.drop_column('order_steps', 'crew_id', schema='dispatch')
    op.drop_table('order_tasks', schema='dispatch')
    op.drop_index('order_serials_held_by_one', table_name='order_serials', schema='dispatch', postgresql_where=sa.text('holds'))
    op.drop_table('order_serials', schema='dispatch')
    op.drop_table('order_predecessors', schema='dispatch')
    op.drop_table('order_notes', schema='dispatch')
    op.drop_table('order_materials', schema='dispatch')
    op.drop_table('order_attachments', schema='dispatch')
    op.drop_table('crews', schema='dispatch')
