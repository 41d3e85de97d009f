"""Rows of a sealed scope are those of the sealed text."""

from huaxiao.contracts.migrations import triggers

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    triggers.hold_scopes()


def downgrade() -> None:
    triggers.release_scopes()
