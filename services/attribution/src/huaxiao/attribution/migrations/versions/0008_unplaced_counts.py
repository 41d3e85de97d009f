"""What came of events that belong to no branch, by who posted them."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('unplaced_counts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('posted_by', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('events', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'posted_by', 'day', 'source', 'outcome', name=op.f('unplaced_counts_pkey')),
    schema='attribution',
    comment='The same of events that belong to no branch, each by who posted them',
    info={'audit': 'derived'}
    )
    # Who posted an event stands with what is held of it. A source that one alone has posted for is all
    # theirs; of others each event that is held came once.
    op.execute(
        "WITH posted AS (SELECT posted_by, coalesce(source, '') AS source, outcome,"
        " date(timezone('Asia/Shanghai', received_at)) AS day"
        " FROM attribution.held_events WHERE branch_id = 0),"
        " alone AS (SELECT source, min(posted_by) AS posted_by FROM posted"
        " GROUP BY source HAVING count(DISTINCT posted_by) = 1)"
        " INSERT INTO attribution.unplaced_counts (branch_id, posted_by, day, source, outcome, events)"
        " SELECT 0, alone.posted_by, counted.day, counted.source, counted.outcome, counted.events"
        " FROM attribution.intake_counts counted JOIN alone USING (source) WHERE counted.branch_id = 0"
        " UNION ALL SELECT 0, posted_by, day, source, outcome, count(*) FROM posted"
        " WHERE source NOT IN (SELECT source FROM alone) GROUP BY posted_by, day, source, outcome"
    )


def downgrade() -> None:
    op.drop_table('unplaced_counts', schema='attribution')
