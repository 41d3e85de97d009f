"""A step remembers when the work was due, and a card when it was told of."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.add_column('order_steps', sa.Column('due_at', sa.DateTime(timezone=True), nullable=True, comment='when the work was due, as was known with the step; null of older steps, too'), schema='dispatch')
    op.add_column('appraisals', sa.Column('told_at', sa.DateTime(timezone=True), nullable=True, comment='when everybody was told that it is published; null of older cards, too'), schema='dispatch')


def downgrade() -> None:
    op.drop_column('appraisals', 'told_at', schema='dispatch')
    op.drop_column('order_steps', 'due_at', schema='dispatch')
