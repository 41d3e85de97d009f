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


_COVERED = {
    "sealed_scopes": (
        """SELECT f.branch_id, f.field_id, p.prefix,
               int8range(rpad(p.prefix, 18, '0')::bigint,
                         rpad(p.prefix, 18, '0')::bigint + (10 ^ (18 - length(p.prefix)))::bigint),
               int4range((f.document->>'term_from')::int, (f.document->>'term_to')::int + 1)
        FROM sealed f, jsonb_array_elements_text(f.document->'scope'->'address_prefixes') p(prefix)""",
        "branch_id, field_id, prefix, scope, term",
    ),
    "sealed_customers": (
        """SELECT f.branch_id, f.field_id, c->>'customer_id', c->>'segment',
               (f.document->>'term_from')::int, (f.document->>'term_to')::int
        FROM sealed f, jsonb_array_elements(f.document->'scope'->'customers') c""",
        "branch_id, field_id, customer_id, segment, term_from, term_to",
    ),
    "sealed_channels": (
        """SELECT f.branch_id, f.field_id, c.channel_id,
               (f.document->>'term_from')::int, (f.document->>'term_to')::int
        FROM sealed f, jsonb_array_elements_text(f.document->'scope'->'channel_ids') c(channel_id)""",
        "branch_id, field_id, channel_id, term_from, term_to",
    ),
    "sealed_resources": (
        """SELECT f.branch_id, f.field_id, p.prefix,
               (f.document->>'term_from')::int, (f.document->>'term_to')::int
        FROM sealed f, jsonb_array_elements_text(f.document->'scope'->'resource_prefixes') p(prefix)""",
        "branch_id, field_id, prefix, term_from, term_to",
    ),
}
"""What a seal's text says its rows are: nothing is added to a sealed scope afterwards (R21)."""


def hold_scopes() -> None:
    """Refuse rows of a sealed scope that the sealed text does not have, whoever adds them."""
    for table, (covered, columns) in _COVERED.items():
        op.execute(f"""
            CREATE FUNCTION contracts.hold_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (
                    SELECT {columns} FROM added
                    EXCEPT
                    (WITH sealed AS (
                        SELECT one.* FROM contracts.sealed_fields one
                        WHERE (one.branch_id, one.field_id) IN
                            (SELECT branch_id, field_id FROM added)
                    ) {covered})
                ) THEN
                    RAISE EXCEPTION 'the sealed text does not cover this'
                        USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NULL;
            END $$
        """)  # noqa: S608 - all of it stands in this module
        op.execute(f"""
            CREATE TRIGGER hold_scope AFTER INSERT ON contracts.{table}
            REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION contracts.hold_{table}()
        """)


def release_scopes() -> None:
    """Let go of them."""
    for table in _COVERED:
        op.execute(f"DROP TRIGGER hold_scope ON contracts.{table}")
        op.execute(f"DROP FUNCTION contracts.hold_{table}()")


def drop() -> None:
    """Let go of them, before the tables go."""
    op.execute("DROP TRIGGER hold_closed ON contracts.statements")
    op.execute("DROP FUNCTION contracts.hold_closed_statements()")
    for table, *_ in _HELD:
        op.execute(f"DROP TRIGGER hold_sealed ON contracts.{table}")
        op.execute(f"DROP FUNCTION contracts.hold_sealed_{table}()")
