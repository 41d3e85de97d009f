"""Of which kind the customer is to whom a line passes."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.add_column('subscription_changes', sa.Column('customer_kind', sa.Text(), nullable=True, comment='of the new customer; null is that of the one before'), schema='attribution')


def downgrade() -> None:
    op.drop_column('subscription_changes', 'customer_kind', schema='attribution')
