"""The audit log: what was changed, by whom, chained by hash; and where each chain ends."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('audit_entries',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('roles', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('person_id', sa.Text(), nullable=True),
    sa.Column('token_id', sa.Text(), nullable=True),
    sa.Column('client', sa.Text(), nullable=True),
    sa.Column('trace_id', sa.Text(), nullable=True),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('changes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'position', name=op.f('audit_entries_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.create_index(op.f('audit_entries_branch_id_at_index'), 'audit_entries', ['branch_id', 'at'], unique=False, schema='contracts')
    op.create_index(op.f('audit_entries_branch_id_subject_position_index'), 'audit_entries', ['branch_id', 'subject', 'position'], unique=False, schema='contracts')
    op.create_table('audit_heads',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', name=op.f('audit_heads_pkey')),
    schema='contracts'
    )


def downgrade() -> None:
    op.drop_table('audit_heads', schema='contracts')
    op.drop_index(op.f('audit_entries_branch_id_subject_position_index'), table_name='audit_entries', schema='contracts')
    op.drop_index(op.f('audit_entries_branch_id_at_index'), table_name='audit_entries', schema='contracts')
    op.drop_table('audit_entries', schema='contracts')
