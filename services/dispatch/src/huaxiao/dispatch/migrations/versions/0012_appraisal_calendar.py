"""The calendar of appraisals, their scorecards, evidence, appeals and revisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('appraisal_drafts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rater_centre_id', sa.Text(), nullable=False),
    sa.Column('ratee', sa.Text(), nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'kind', 'period', 'rater_centre_id', 'ratee', name=op.f('appraisal_drafts_pkey')),
    schema='dispatch'
    )
    op.create_table('appraisal_evidence',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('record', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'period', 'order_id', name=op.f('appraisal_evidence_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appraisal_months',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('scorecard_version', sa.Integer(), nullable=True),
    sa.Column('orders', sa.Integer(), nullable=True),
    sa.Column('digest', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'period', 'event', name=op.f('appraisal_months_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('late_raters',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.Column('cards', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'period', 'centre_id', name=op.f('late_raters_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('scorecards',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('scorecards_pkey')),
    schema='dispatch'
    )
    op.create_table('violations',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.Column('person_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('upheld', sa.Boolean(), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'number', name=op.f('violations_pkey')),
    schema='dispatch'
    )
    op.create_table('appraisal_appeals',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appraisal_id', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('references', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appraisal_id'], ['dispatch.appraisals.branch_id', 'dispatch.appraisals.appraisal_id'], name=op.f('appraisal_appeals_branch_id_appraisal_id_appraisals_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'appraisal_id', 'item', name=op.f('appraisal_appeals_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appraisal_corrections',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appraisal_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('dated_in', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appraisal_id'], ['dispatch.appraisals.branch_id', 'dispatch.appraisals.appraisal_id'], name=op.f('appraisal_corrections_branch_id_appraisal_id_appraisals_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'appraisal_id', 'number', name=op.f('appraisal_corrections_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appraisal_revisions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appraisal_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('score_hundredths', sa.BigInteger(), nullable=True),
    sa.Column('exact_score', sa.Text(), nullable=True),
    sa.Column('grade', sa.Text(), nullable=True),
    sa.Column('explanation', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('corrected_in', sa.Integer(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appraisal_id'], ['dispatch.appraisals.branch_id', 'dispatch.appraisals.appraisal_id'], name=op.f('appraisal_revisions_branch_id_appraisal_id_appraisals_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'appraisal_id', 'number', name=op.f('appraisal_revisions_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('scorecards_in_force',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('put_in_force_by', sa.Text(), nullable=False),
    sa.Column('put_in_force_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'version'], ['dispatch.scorecards.branch_id', 'dispatch.scorecards.version'], name=op.f('scorecards_in_force_branch_id_version_scorecards_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('scorecards_in_force_pkey')),
    sa.UniqueConstraint('branch_id', 'from_day', name=op.f('scorecards_in_force_branch_id_from_day_key')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appraisal_appeal_answers',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appraisal_id', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appraisal_id', 'item'], ['dispatch.appraisal_appeals.branch_id', 'dispatch.appraisal_appeals.appraisal_id', 'dispatch.appraisal_appeals.item'], name='appraisal_appeal_answers_appeal_fkey'),
    sa.PrimaryKeyConstraint('branch_id', 'appraisal_id', 'item', name=op.f('appraisal_appeal_answers_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('appraisal_appeal_decisions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('appraisal_id', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('upheld', sa.Boolean(), nullable=False),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'appraisal_id', 'item'], ['dispatch.appraisal_appeals.branch_id', 'dispatch.appraisal_appeals.appraisal_id', 'dispatch.appraisal_appeals.item'], name='appraisal_appeal_decisions_appeal_fkey'),
    sa.PrimaryKeyConstraint('branch_id', 'appraisal_id', 'item', name=op.f('appraisal_appeal_decisions_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.add_column('appraisals', sa.Column('scorecard_version', sa.Integer(), server_default='0', nullable=False), schema='dispatch')
    op.add_column('appraisals', sa.Column('revision', sa.Integer(), server_default='1', nullable=False), schema='dispatch')
    op.add_column('appraisals', sa.Column('evidence_only', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='dispatch')
    op.add_column('appraisals', sa.Column('published_at', sa.DateTime(timezone=True), nullable=True), schema='dispatch')
    op.add_column('appraisals', sa.Column('coefficient_kind', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('appraisals', sa.Column('coefficient', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('branches', sa.Column('known_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False), schema='dispatch')
    # Cards made before are those of revision 1, published when they were confirmed.
    op.execute(
        """
        INSERT INTO dispatch.appraisal_revisions
            (branch_id, appraisal_id, number, cause, score_hundredths, exact_score, grade,
             explanation, by, at, recorded_at)
        SELECT branch_id, appraisal_id, 1, 'submitted', score_hundredths,
               explanation ->> 'exact_score', grade, explanation, 'migration', made_at, made_at
        FROM dispatch.appraisals
        """
    )
    op.execute("UPDATE dispatch.appraisals SET published_at = confirmed_at")


def downgrade() -> None:
    op.drop_column('branches', 'known_at', schema='dispatch')
    for column in ('coefficient', 'coefficient_kind', 'published_at', 'evidence_only', 'revision', 'scorecard_version'):
        op.drop_column('appraisals', column, schema='dispatch')
    for table in (
        'appraisal_appeal_decisions',
        'appraisal_appeal_answers',
        'scorecards_in_force',
        'appraisal_revisions',
        'appraisal_corrections',
        'appraisal_appeals',
        'violations',
        'scorecards',
        'late_raters',
        'appraisal_months',
        'appraisal_evidence',
        'appraisal_drafts',
    ):
        op.drop_table(table, schema='dispatch')
