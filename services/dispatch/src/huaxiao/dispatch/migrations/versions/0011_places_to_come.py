"""Where people work from a day to come on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.create_table('places_to_come',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.Column('skills', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('engagement', sa.Text(), nullable=False),
    sa.Column('left_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'person_id', 'from_day', 'centre_id', name=op.f('places_to_come_pkey')),
    schema='dispatch'
    )


def downgrade() -> None:
    op.drop_table('places_to_come', schema='dispatch')
