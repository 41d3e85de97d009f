"""What the database itself refuses beyond keys and ranges: written by hand, made with the tables."""

from alembic import op

_HELD = (
    ("fields", "field_id", "sealed_fields"),
    ("contracts", "contract_id", "signatures"),
    ("negative_lists", "version", "negative_list_activations"),
    ("reorganisations", "plan_id", "applied_reorganisations"),
    ("exits", "contract_id", "exit_approvals"),
)
"""What is sealed is read from the draft's own row too: it must not part from its seal (R21)."""


def create() -> None:
    """Hold every draft row that has a seal, and every statement that is closed."""
    for table, key, seal in _HELD:
        op.execute(f"""
            CREATE FUNCTION contracts.hold_sealed_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM contracts.{seal} seal
                    WHERE seal.branch_id = OLD.branch_id AND seal.{key} = OLD.{key}
                ) THEN
                    RAISE EXCEPTION '% is sealed', OLD.{key} USING ERRCODE = 'restrict_violation';
                END IF;
                IF TG_OP = 'DELETE' THEN
                    RETURN OLD;
                END IF;
                RETURN NEW;
            END $$
        """)
        op.execute(f"""
            CREATE TRIGGER hold_sealed BEFORE UPDATE OR DELETE ON contracts.{table}
            FOR EACH ROW EXECUTE FUNCTION contracts.hold_sealed_{table}()
        """)
    op.execute("""
        CREATE FUNCTION contracts.hold_closed_statements() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR NEW.revision < OLD.revision THEN
                RAISE EXCEPTION 'statement % of % is held', OLD.period, OLD.contract_id
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER hold_closed BEFORE UPDATE OR DELETE ON contracts.statements
        FOR EACH ROW EXECUTE FUNCTION contracts.hold_closed_statements()
    """)


def drop() -> None:
    """Let go of them, before the tables go."""
    op.execute("DROP TRIGGER hold_closed ON contracts.statements")
    op.execute("DROP FUNCTION contracts.hold_closed_statements()")
    for table, *_ in _HELD:
        op.execute(f"DROP TRIGGER hold_sealed ON contracts.{table}")
        op.execute(f"DROP FUNCTION contracts.hold_sealed_{table}()")
