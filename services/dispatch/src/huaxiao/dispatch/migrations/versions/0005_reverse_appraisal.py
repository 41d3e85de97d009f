"""The reverse appraisal: votes, what the ratee says to them, and what is decided (R28)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('concurrent_posts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'person_id', 'centre_id', name=op.f('concurrent_posts_pkey')),
    schema='dispatch'
    )
    op.create_table('reverse_answers',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ratee_centre_id', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('agrees', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('answered_by', sa.Text(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'ratee_centre_id', 'period', name=op.f('reverse_answers_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('reverse_decisions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ratee_centre_id', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('appraisal_id', sa.Text(), nullable=True),
    sa.Column('card', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'ratee_centre_id', 'period', name=op.f('reverse_decisions_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('reverse_votes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ratee_centre_id', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('seat', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('stars', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('cast_by', sa.Text(), nullable=False),
    sa.Column('cast_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'ratee_centre_id', 'period', 'centre_id', 'seat', name=op.f('reverse_votes_pkey')),
    sa.UniqueConstraint('branch_id', 'ratee_centre_id', 'period', 'person_id', name=op.f('reverse_votes_branch_id_ratee_centre_id_period_person_id_key')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.alter_column('appraisals', 'rater_centre_id',
               existing_type=sa.TEXT(),
               nullable=True,
               schema='dispatch')


def downgrade() -> None:
    # The table before knew no appraisal without a rater.
    op.execute("DELETE FROM dispatch.appraisals WHERE rater_centre_id IS NULL")
    op.alter_column('appraisals', 'rater_centre_id',
               existing_type=sa.TEXT(),
               nullable=False,
               schema='dispatch')
    op.drop_table('reverse_votes', schema='dispatch')
    op.drop_table('reverse_decisions', schema='dispatch')
    op.drop_table('reverse_answers', schema='dispatch')
    op.drop_table('concurrent_posts', schema='dispatch')
