-- Stands in for Citus where none can be had: it keeps the same catalogue and refuses a table for the same
-- reasons and in the same words (src/backend/distributed/commands: policy.c, table.c, trigger.c,
-- foreign_constraint.c), and leaves every row where it is. What it accepts has not been distributed.
SET LOCAL allow_system_table_mods = on;

CREATE TABLE pg_catalog.pg_dist_node (
    nodeid int GENERATED ALWAYS AS IDENTITY,
    groupid int NOT NULL,
    nodename text NOT NULL,
    nodeport int NOT NULL,
    isactive bool NOT NULL DEFAULT true,
    noderole text NOT NULL DEFAULT 'primary',
    shouldhaveshards bool NOT NULL DEFAULT true,
    UNIQUE (nodename, nodeport)
);
CREATE TABLE pg_catalog.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY,
    partmethod "char" NOT NULL,
    partkey text,
    colocationid int NOT NULL
);
CREATE TABLE pg_catalog.pg_dist_placement (
    shardid bigint GENERATED ALWAYS AS IDENTITY (START 102008),
    colocationid int NOT NULL,
    branch_id int,
    nodename text NOT NULL,
    nodeport int NOT NULL
);
CREATE TABLE pg_catalog.pg_dist_cleanup (record_id bigint PRIMARY KEY);
GRANT SELECT ON pg_catalog.pg_dist_node, pg_catalog.pg_dist_partition, pg_catalog.pg_dist_placement TO PUBLIC;

CREATE FUNCTION pg_catalog.citus_set_coordinator_host(host text, port int) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pg_dist_node (groupid, nodename, nodeport, shouldhaveshards) VALUES (0, host, port, false)
$$;

CREATE FUNCTION pg_catalog.citus_add_node(nodename text, nodeport int) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pg_dist_node (groupid, nodename, nodeport)
    SELECT coalesce(max(groupid), 0) + 1, $1, $2 FROM pg_dist_node
    ON CONFLICT DO NOTHING;
    RETURN (SELECT n.nodeid FROM pg_dist_node n WHERE n.nodename = $1 AND n.nodeport = $2);
END $$;

CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key int2 := (SELECT attnum FROM pg_attribute WHERE attrelid = table_name AND attname = distribution_column);
    groups int := (SELECT coalesce(max(p.colocationid), 0) + 1 FROM pg_dist_partition p);
    beside int;
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
        RAISE EXCEPTION 'table "%" is already distributed', table_name;
    END IF;
    IF shard_count IS NOT NULL AND colocate_with <> 'none' THEN
        RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time';
    END IF;
    IF EXISTS (
        SELECT FROM pg_policy WHERE polrelid = table_name
        AND concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) ~* '\mselect\M'
    ) THEN
        RAISE EXCEPTION 'cannot create policy'
            USING DETAIL = 'Subqueries are not supported in policies on distributed tables';
    END IF;
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = table_name AND NOT tgisinternal) THEN
        RAISE EXCEPTION 'cannot distribute relation "%" because it has triggers', table_name;
    END IF;
    IF EXISTS (
        SELECT FROM pg_index i LEFT JOIN pg_constraint x ON x.conindid = i.indexrelid AND x.contype = 'x'
        WHERE i.indrelid = table_name AND (i.indisunique OR x.oid IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
            WHERE k.attnum = key
            AND (i.indisunique OR (SELECT oprname FROM pg_operator WHERE oid = x.conexclop[k.n]) = '=')
        )
    ) THEN
        RAISE EXCEPTION 'cannot create constraint on "%"', table_name
            USING DETAIL = 'Distributed relations cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints'
                ' that do not include the partition column (with an equality operator if EXCLUDE).';
    END IF;
    IF colocate_with = 'none' THEN
        beside := groups;
        INSERT INTO pg_dist_placement (colocationid, nodename, nodeport)
            SELECT groups, nodename, nodeport FROM pg_dist_node WHERE shouldhaveshards LIMIT 1;
    ELSE
        SELECT colocationid INTO STRICT beside FROM pg_dist_partition
            WHERE logicalrelid = colocate_with::regclass;
    END IF;
    IF EXISTS (
        SELECT FROM pg_constraint c LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.confrelid
        WHERE c.conrelid = table_name AND c.contype = 'f' AND c.confrelid <> table_name
        AND (p.colocationid IS DISTINCT FROM beside OR c.conkey[1] <> key)
    ) THEN
        RAISE EXCEPTION 'cannot create foreign key constraint since relations are not colocated or not'
            ' referencing a reference table';
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, beside);
END $$;

CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void
LANGUAGE sql AS $$ INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 0) $$;

-- What a page about moving asks and does, with one shard for all, until a branch is given its own.
CREATE VIEW pg_catalog.citus_shards AS
    SELECT p.logicalrelid AS table_name, s.shardid, p.logicalrelid || '_' || s.shardid AS shard_name,
           'distributed' AS citus_table_type, p.colocationid AS colocation_id, s.nodename, s.nodeport,
           0::bigint AS shard_size
    FROM pg_dist_partition p JOIN pg_dist_placement s USING (colocationid);
GRANT SELECT ON pg_catalog.citus_shards TO PUBLIC;

CREATE FUNCTION pg_catalog.get_shard_id_for_distribution_column(table_name regclass, value anyelement)
RETURNS bigint LANGUAGE sql AS $$
    SELECT s.shardid FROM pg_dist_placement s JOIN pg_dist_partition p USING (colocationid)
    WHERE p.logicalrelid = table_name AND (s.branch_id IS NULL OR s.branch_id = value::text::int)
    ORDER BY s.branch_id NULLS LAST LIMIT 1
$$;

CREATE FUNCTION pg_catalog.isolate_tenant_to_new_shard(
    table_name regclass, tenant_id anyelement, cascade_option text DEFAULT '', shard_transfer_mode text DEFAULT 'auto'
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE made bigint;
BEGIN
    IF cascade_option <> 'CASCADE' THEN
        RAISE EXCEPTION 'cannot isolate tenant because "%" has colocated tables', table_name;
    END IF;
    INSERT INTO pg_dist_placement (colocationid, branch_id, nodename, nodeport)
    SELECT s.colocationid, tenant_id::text::int, s.nodename, s.nodeport
    FROM pg_dist_placement s WHERE s.shardid = get_shard_id_for_distribution_column(table_name, tenant_id)
    RETURNING shardid INTO made;
    RETURN made;
END $$;

CREATE FUNCTION pg_catalog.citus_move_shard_placement(
    shard_id bigint, source_node_name text, source_node_port int, target_node_name text,
    target_node_port int, shard_transfer_mode text DEFAULT 'auto'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_dist_node WHERE nodename = target_node_name AND nodeport = target_node_port
    ) THEN
        RAISE EXCEPTION 'Moving shards to a non-existing node is not supported';
    END IF;
    UPDATE pg_dist_placement SET nodename = target_node_name, nodeport = target_node_port
    WHERE shardid = shard_id AND nodename = source_node_name AND nodeport = source_node_port;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'could not find placement matching "%:%"', source_node_name, source_node_port;
    END IF;
END $$;
