-- What the workers need.

-- The queue. Its tables are the library's own, in a schema apart (see store/queue.py), of which this is the history.
CREATE SCHEMA openinspector_queue;
GRANT USAGE ON SCHEMA openinspector_queue TO openinspector_system;
CREATE TABLE openinspector_queue.openinspector_history (
    name text COLLATE "C" PRIMARY KEY,
    applied_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE openinspector_queue.openinspector_history IS 'The migrations of the queue''s library that have been applied.';

CREATE TABLE openinspector.chore (
    name text COLLATE "C" PRIMARY KEY,
    due_at timestamptz NOT NULL,
    runs bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    seconds double precision DEFAULT 0 NOT NULL,
    last_started_at timestamptz,
    last_ended_at timestamptz,
    last_error text COLLATE "C" DEFAULT '' NOT NULL
);
COMMENT ON TABLE openinspector.chore IS 'Something that the workers do of their own accord: when it is due, and how it went, of all of them.';
GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.chore TO openinspector_system;

-- Reports: who is at which, and since when.
ALTER TABLE openinspector.report
    ADD COLUMN claim uuid,
    ADD COLUMN claimed_until timestamptz,
    ADD COLUMN attempts smallint DEFAULT 0 NOT NULL,
    ADD COLUMN is_closing boolean DEFAULT false NOT NULL,
    ADD COLUMN upload jsonb DEFAULT '{}' NOT NULL;
CREATE INDEX report_to_do ON openinspector.report (region, created_at) WHERE status = 'IN_PROGRESS';
CREATE INDEX report_finished ON openinspector.report (finished_at) WHERE finished_at IS NOT NULL;
COMMENT ON TABLE openinspector.report IS 'A findings report or an SBOM export: what was asked for, and how far it is. One findings report runs at a time. A worker does it under a claim, which is anybody''s again after `claimed_until`; `is_closing` when its object is about to be seen and it can''t be cancelled any more; `upload` names what may lie half-written at the destination.';

-- Sinks: what each has yet to acknowledge. Events were handed to nobody before.
DROP INDEX openinspector.event_to_send, openinspector.event_sent;
ALTER TABLE openinspector.event DROP COLUMN attempts, DROP COLUMN retry_at;
ALTER TABLE openinspector.event RENAME COLUMN sent_at TO handed_at;
CREATE INDEX event_to_hand_out ON openinspector.event (sequence) WHERE handed_at IS NULL;
CREATE INDEX event_handed_out ON openinspector.event (handed_at) WHERE handed_at IS NOT NULL;
COMMENT ON TABLE openinspector.event IS 'The outbox: what the world is told, written in the transaction that made it true, under the id that it is sent with. An event about a finding names it and is put into words when it is sent; others carry their payload. `handed_at` is when a `delivery` was made of it for each sink.';
CREATE TABLE openinspector.sink (
    name text COLLATE "C" PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    registered_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz NOT NULL,
    sent_at timestamptz,
    failures integer DEFAULT 0 NOT NULL,
    retry_at timestamptz,
    reason text COLLATE "C" DEFAULT '' NOT NULL
);
COMMENT ON TABLE openinspector.sink IS 'Where events are sent to, as the workers'' settings name them; `seen_at` is when one last did. While it takes nothing, `failures` counts the attempts, `reason` says why, and nothing is tried before `retry_at`.';
CREATE TABLE openinspector.sink_lane (
    sink text COLLATE "C",
    lane smallint,
    lease uuid,
    leased_until timestamptz,
    PRIMARY KEY (sink, lane)
);
COMMENT ON TABLE openinspector.sink_lane IS 'A part of what a sink is sent: all events of some resources. One worker sends those of a lane at a time, under a `lease` that is anybody''s again after `leased_until`, and so in their order.';
CREATE TABLE openinspector.delivery (
    sequence bigint,
    sink text COLLATE "C",
    lane smallint NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    retry_at timestamptz,
    dead_at timestamptz,
    reason text COLLATE "C" DEFAULT '' NOT NULL,
    PRIMARY KEY (sequence, sink)
);
CREATE INDEX delivery_waiting ON openinspector.delivery (sink, lane, sequence) WHERE dead_at IS NULL;
CREATE INDEX delivery_held_back ON openinspector.delivery (sink, lane) WHERE retry_at IS NOT NULL AND dead_at IS NULL;
CREATE INDEX delivery_dead ON openinspector.delivery (sink, dead_at) WHERE dead_at IS NOT NULL;
COMMENT ON TABLE openinspector.delivery IS 'An event that a sink has yet to acknowledge; once it has, the row is gone. One that it will never take is a dead letter, kept with the reason since `dead_at`.';
GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.sink, openinspector.sink_lane, openinspector.delivery TO openinspector_system;

-- Suppression rules that are to be applied, and what they hide.
CREATE INDEX filter_to_apply ON openinspector.filter (account, region, id) WHERE applied_at IS NULL;
CREATE INDEX finding_by_rule ON openinspector.finding (account, region, suppressed_by, id) WHERE suppressed_by <> '';
ALTER TABLE openinspector.member DROP COLUMN is_deep_inspected;
ALTER TABLE openinspector.member ADD COLUMN rules_applied_at timestamptz;
COMMENT ON TABLE openinspector.member IS 'A member account as its delegated administrator (`account`) has it; the member sees its own row too. `rules_applied_at` is NULL until its findings have been gone through with the organization''s suppression rules.';

-- Findings that are equal in what their resources are sorted by come in the order of the resources' own ids.
DROP INDEX openinspector.resource_by_repository, openinspector.resource_by_registry, openinspector.resource_by_push;
DROP INDEX openinspector.resource_by_type;
CREATE INDEX resource_by_repository ON openinspector.resource (account, region, repository, external_id);
CREATE INDEX resource_by_registry ON openinspector.resource (account, region, registry, external_id);
CREATE INDEX resource_by_push ON openinspector.resource (account, region, coalesce(pushed_at, '-infinity'), external_id);

-- What is old is found by its age.
CREATE INDEX client_token_by_age ON openinspector.client_token (created_at);
CREATE INDEX resource_gone ON openinspector.resource (gone_at) WHERE gone_at IS NOT NULL;

-- The audit log is only added to. What is older than any way of keeping it is taken away by the owner's own function:
-- whoever works as the system can have it forget, but nothing of the last 90 days.
CREATE INDEX audit_by_age ON openinspector.audit (at);
CREATE POLICY forgetting ON openinspector.audit TO CURRENT_USER
    USING (at < now() - interval '90 days');
CREATE FUNCTION openinspector.forget_audit(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    forgotten integer;
BEGIN
    DELETE FROM openinspector.audit WHERE id IN (
        SELECT id FROM openinspector.audit WHERE at < least(before, now() - interval '90 days') ORDER BY at LIMIT most
    );
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
REVOKE ALL ON FUNCTION openinspector.forget_audit(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION openinspector.forget_audit(timestamptz, integer) TO openinspector_system;

-- Usage, and what follows from a kind of scan being switched on or off.
ALTER TABLE openinspector.account ADD COLUMN due_at timestamptz;
CREATE INDEX account_due ON openinspector.account (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE openinspector.account IS 'An account in a region: its state as a whole, and its settings (scan mode, rescan durations, deep inspection). `due_at` is when something next follows from its being suspended, or no longer.';
ALTER TABLE openinspector.account_scan_type ADD COLUMN due_at timestamptz;
CREATE INDEX account_scan_type_due ON openinspector.account_scan_type (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE openinspector.account_scan_type IS 'Whether a kind of scan (`EC2`, `LAMBDA_CODE`) is on for an account, since when, and its free trial. `due_at` is when something next follows from that for its resources.';
CREATE INDEX usage_record_by_day ON openinspector.usage_record (day);
CREATE TABLE openinspector.covered_period (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    resource_id bigint NOT NULL,
    scan_type text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    counted_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT covered_period_pkey PRIMARY KEY (id)
);
CREATE INDEX covered_period_by_account ON openinspector.covered_period (account, region);
CREATE UNIQUE INDEX covered_period_running ON openinspector.covered_period (resource_id, scan_type) WHERE ended_at IS NULL;
COMMENT ON TABLE openinspector.covered_period IS 'A time in which a resource was covered and that isn''t counted in whole: its hours up to `counted_at` are in `usage_record`. Triggers of `coverage` write it, so whatever changes a status or a scan mode is counted.';
ALTER TABLE openinspector.covered_period ENABLE ROW LEVEL SECURITY;
ALTER TABLE openinspector.covered_period FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON openinspector.covered_period TO openinspector_system USING (true);
CREATE POLICY scope ON openinspector.covered_period TO openinspector_app
    USING (account = ANY ((SELECT openinspector.scope())::text[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.covered_period TO openinspector_system;
GRANT SELECT ON openinspector.covered_period TO openinspector_app;

-- A period begins and ends at the `updated_at` of the row that says so. Where a row is deleted, what was counted stays.
CREATE FUNCTION openinspector.note_coverage() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE openinspector.covered_period
        SET ended_at = CASE TG_OP WHEN 'UPDATE' THEN greatest(counted_at, NEW.updated_at) ELSE counted_at END
        WHERE resource_id = OLD.resource_id AND scan_type = OLD.scan_type AND ended_at IS NULL;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'ACTIVE' THEN
        INSERT INTO openinspector.covered_period (account, region, resource_id, scan_type, type, counted_at)
        SELECT NEW.account, NEW.region, NEW.resource_id, NEW.scan_type, hours.type, NEW.updated_at
        FROM openinspector.resource r CROSS JOIN LATERAL (
            SELECT CASE
                WHEN r.type = 'AWS_EC2_INSTANCE' AND NEW.scan_type = 'PACKAGE' THEN
                    CASE NEW.scan_mode WHEN 'EC2_AGENTLESS' THEN 'EC2_AGENTLESS_INSTANCE_HOURS' ELSE 'EC2_INSTANCE_HOURS' END
                WHEN r.type = 'AWS_LAMBDA_FUNCTION' AND NEW.scan_type = 'PACKAGE' THEN 'LAMBDA_FUNCTION_HOURS'
                WHEN r.type = 'AWS_LAMBDA_FUNCTION' AND NEW.scan_type = 'CODE' THEN 'LAMBDA_FUNCTION_CODE_HOURS'
            END AS type
        ) hours
        WHERE r.id = NEW.resource_id AND hours.type IS NOT NULL
        ON CONFLICT (resource_id, scan_type) WHERE ended_at IS NULL DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION openinspector.note_coverage() IS 'Begins and ends the periods whose hours are counted.';
CREATE TRIGGER covered AFTER INSERT ON openinspector.coverage FOR EACH ROW
    WHEN (NEW.status = 'ACTIVE' AND NEW.scan_type <> 'NETWORK') EXECUTE FUNCTION openinspector.note_coverage();
CREATE TRIGGER covered_otherwise AFTER UPDATE OF status, scan_mode ON openinspector.coverage FOR EACH ROW
    WHEN ((OLD.status, OLD.scan_mode) IS DISTINCT FROM (NEW.status, NEW.scan_mode) AND NEW.scan_type <> 'NETWORK')
    EXECUTE FUNCTION openinspector.note_coverage();
CREATE TRIGGER covered_no_longer AFTER DELETE ON openinspector.coverage FOR EACH ROW
    WHEN (OLD.status = 'ACTIVE') EXECUTE FUNCTION openinspector.note_coverage();

-- What is there is counted from now on, and what was switched off is gone through.
SET LOCAL ROLE openinspector_system;
INSERT INTO openinspector.covered_period (account, region, resource_id, scan_type, type, counted_at)
SELECT c.account, c.region, c.resource_id, c.scan_type, CASE
    WHEN r.type = 'AWS_LAMBDA_FUNCTION' AND c.scan_type = 'CODE' THEN 'LAMBDA_FUNCTION_CODE_HOURS'
    WHEN r.type = 'AWS_LAMBDA_FUNCTION' THEN 'LAMBDA_FUNCTION_HOURS'
    WHEN c.scan_mode = 'EC2_AGENTLESS' THEN 'EC2_AGENTLESS_INSTANCE_HOURS' ELSE 'EC2_INSTANCE_HOURS' END, now()
FROM openinspector.coverage c JOIN openinspector.resource r ON r.id = c.resource_id
WHERE c.status = 'ACTIVE' AND (r.type = 'AWS_LAMBDA_FUNCTION' AND c.scan_type IN ('PACKAGE', 'CODE')
    OR r.type = 'AWS_EC2_INSTANCE' AND c.scan_type = 'PACKAGE');
UPDATE openinspector.account_scan_type SET due_at = now() WHERE status = 'DISABLED';
UPDATE openinspector.account SET due_at = now() WHERE suspended_at IS NOT NULL;
RESET ROLE;

-- Matching again when other advisories are in force.
ALTER TABLE openinspector.package ADD COLUMN context text COLLATE "C" DEFAULT '' NOT NULL;
DROP INDEX openinspector.package_unmatched;
CREATE INDEX package_provisional ON openinspector.package (id) WHERE matched_generation = 0;
COMMENT ON TABLE openinspector.package IS 'Each distinct package of the fleet, once. `namespace` and `canonical` are its names in the advisory file, `version_key` the sort key of its version (NULL where its scheme can''t read it), `source_key` that of its source package''s, so that a range of versions is a range of the index; `context` are the repositories, one a line, that are enabled where it is installed and decide which advisories concern it; `digest` is of all that tells packages apart. `matched_generation` is NULL before it was matched, 0 where that was by advisories that weren''t in force, else the generation that was when it was; what came later has been followed since.';
CREATE INDEX finding_with_kept_packages ON openinspector.finding (vulnerability_id) WHERE status <> 'CLOSED' AND details ? 'packages';
CREATE TABLE openinspector.rematch (
    generation integer PRIMARY KEY,
    is_full boolean NOT NULL,
    started_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE openinspector.rematch IS 'The generation that all packages are being matched with, if any. Its lock keeps scans from writing while findings follow new matches, and the other way round.';
CREATE TABLE openinspector.rematch_package (
    package_id integer PRIMARY KEY
);
COMMENT ON TABLE openinspector.rematch_package IS 'A distinct package that is yet to be judged by the new generation.';
CREATE TABLE openinspector.rematch_flaw (
    vulnerability_id text COLLATE "C" PRIMARY KEY,
    step text COLLATE "C" NOT NULL,
    is_told boolean DEFAULT false NOT NULL
);
CREATE INDEX rematch_flaw_to_do ON openinspector.rematch_flaw (step, vulnerability_id);
COMMENT ON TABLE openinspector.rematch_flaw IS 'A flaw of which something else may be said (`step` is `tell`), or whose findings are to follow (`follow`): where `is_told`, all of them, else those of the packages in `rematch_match`.';
CREATE TABLE openinspector.rematch_match (
    vulnerability_id text COLLATE "C",
    package_id integer,
    verdict text COLLATE "C" NOT NULL,
    state text COLLATE "C" DEFAULT '' NOT NULL,
    fixed_version text COLLATE "C" DEFAULT '' NOT NULL,
    severity text COLLATE "C" DEFAULT '' NOT NULL,
    vendor_severity text COLLATE "C" DEFAULT '' NOT NULL,
    source text COLLATE "C" DEFAULT '' NOT NULL,
    related text[] COLLATE "C" DEFAULT '{}' NOT NULL,
    evidence bytea,
    PRIMARY KEY (vulnerability_id, package_id)
);
COMMENT ON TABLE openinspector.rematch_match IS 'What the new generation says otherwise than `package_vulnerability` does: that a package has the flaw (`verdict` is `affected`), that it hasn''t (`clean`), or that nobody can tell (`undecided`).';
GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.rematch, openinspector.rematch_package, openinspector.rematch_flaw, openinspector.rematch_match TO openinspector_system;

-- Lists of a big fleet: what is filtered by often has an index.
CREATE INDEX package_by_spelling ON openinspector.package (name);
CREATE INDEX finding_by_title ON openinspector.finding (account, region, title);
CREATE INDEX finding_exploitable ON openinspector.finding (account, region, severity, id) WHERE exploit;

-- How many active findings there are, kept as they change: aggregations ask for nothing else.
CREATE TABLE openinspector.resource_tally (
    resource_id bigint,
    type text COLLATE "C",
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    untriaged integer DEFAULT 0 NOT NULL,
    informational integer DEFAULT 0 NOT NULL,
    low integer DEFAULT 0 NOT NULL,
    medium integer DEFAULT 0 NOT NULL,
    high integer DEFAULT 0 NOT NULL,
    critical integer DEFAULT 0 NOT NULL,
    exploitable integer DEFAULT 0 NOT NULL,
    fixable integer DEFAULT 0 NOT NULL,
    PRIMARY KEY (resource_id, type)
) WITH (fillfactor = 80);
COMMENT ON TABLE openinspector.resource_tally IS 'How many active findings of a type a resource has; triggers of `finding` keep it.';
CREATE INDEX resource_tally_by_account ON openinspector.resource_tally (account, region, resource_id);
CREATE TABLE openinspector.flaw_tally (
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    vulnerability_id text COLLATE "C" NOT NULL,
    title text COLLATE "C" NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    untriaged integer DEFAULT 0 NOT NULL,
    informational integer DEFAULT 0 NOT NULL,
    low integer DEFAULT 0 NOT NULL,
    medium integer DEFAULT 0 NOT NULL,
    high integer DEFAULT 0 NOT NULL,
    critical integer DEFAULT 0 NOT NULL,
    exploitable integer DEFAULT 0 NOT NULL,
    fixable integer DEFAULT 0 NOT NULL,
    is_new boolean DEFAULT true NOT NULL,
    digest uuid GENERATED ALWAYS AS (CAST(md5(account || length(vulnerability_id) || ':' || vulnerability_id || title) AS uuid)) STORED
);
COMMENT ON TABLE openinspector.flaw_tally IS 'How many active findings of one title there are in an account: the sum of rows with the same key. Triggers of `finding` add rows of what has changed, which wait for nobody, and a chore adds those up (`is_new`).';
CREATE UNIQUE INDEX flaw_tally_whole ON openinspector.flaw_tally (account, region, digest, resource_type, type) WHERE NOT is_new;
CREATE INDEX flaw_tally_by_digest ON openinspector.flaw_tally (account, region, digest);
CREATE INDEX flaw_tally_new ON openinspector.flaw_tally (account) WHERE is_new;
CREATE INDEX flaw_tally_critical ON openinspector.flaw_tally (account, region) WHERE critical <> 0;
CREATE INDEX flaw_tally_empty ON openinspector.flaw_tally (account) WHERE total = 0 AND NOT is_new;
CREATE TABLE openinspector.package_tally (
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    untriaged integer DEFAULT 0 NOT NULL,
    informational integer DEFAULT 0 NOT NULL,
    low integer DEFAULT 0 NOT NULL,
    medium integer DEFAULT 0 NOT NULL,
    high integer DEFAULT 0 NOT NULL,
    critical integer DEFAULT 0 NOT NULL,
    exploitable integer DEFAULT 0 NOT NULL,
    fixable integer DEFAULT 0 NOT NULL,
    is_new boolean DEFAULT true NOT NULL,
    digest uuid GENERATED ALWAYS AS (CAST(md5(account || name) AS uuid)) STORED
);
COMMENT ON TABLE openinspector.package_tally IS 'How many active findings there are that name a package, as in `flaw_tally`.';
CREATE UNIQUE INDEX package_tally_whole ON openinspector.package_tally (account, region, digest, resource_type, type) WHERE NOT is_new;
CREATE INDEX package_tally_by_digest ON openinspector.package_tally (account, region, digest);
CREATE INDEX package_tally_new ON openinspector.package_tally (account) WHERE is_new;
CREATE INDEX package_tally_critical ON openinspector.package_tally (account, region) WHERE critical <> 0;
CREATE INDEX package_tally_empty ON openinspector.package_tally (account) WHERE total = 0 AND NOT is_new;

-- What is in which layer follows from inventories, so that a chore counts it; here is only said where that has to be.
CREATE TABLE openinspector.layer_tally (
    resource_id bigint,
    layer text COLLATE "C",
    type text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    untriaged integer DEFAULT 0 NOT NULL,
    informational integer DEFAULT 0 NOT NULL,
    low integer DEFAULT 0 NOT NULL,
    medium integer DEFAULT 0 NOT NULL,
    high integer DEFAULT 0 NOT NULL,
    critical integer DEFAULT 0 NOT NULL,
    exploitable integer DEFAULT 0 NOT NULL,
    fixable integer DEFAULT 0 NOT NULL,
    PRIMARY KEY (resource_id, layer)
);
COMMENT ON TABLE openinspector.layer_tally IS 'How many active findings a resource has in each of its layers; counted by a chore, and out of date where `layer_recount` says so.';
CREATE INDEX layer_tally_by_account ON openinspector.layer_tally (account, region, resource_type, resource_id);
CREATE TABLE openinspector.layer_recount (
    resource_id bigint PRIMARY KEY,
    account text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL
);
COMMENT ON TABLE openinspector.layer_recount IS 'Resources whose layers are to be counted anew; triggers of `finding` and `resource` say so.';
CREATE INDEX layer_recount_by_account ON openinspector.layer_recount (account, region, resource_id);
CREATE FUNCTION openinspector.layers_moved() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO openinspector.layer_recount VALUES (NEW.id, NEW.account, NEW.region) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER layers_moved AFTER UPDATE ON openinspector.resource FOR EACH ROW
    WHEN (NEW.type IN ('AWS_ECR_CONTAINER_IMAGE', 'AWS_LAMBDA_FUNCTION')
          AND (OLD.inventory_id, OLD.details -> 'layers') IS DISTINCT FROM (NEW.inventory_id, NEW.details -> 'layers'))
    EXECUTE FUNCTION openinspector.layers_moved();

-- One function for each kind of change; what differs is which rows have come (1) and gone (-1). The rows of one resource
-- are written under its lock, so its tally is updated in place; the others are only added to.
DO $do$
DECLARE
    pattern text := $pattern$
CREATE FUNCTION openinspector.%1$s() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT c.account, c.region, c.resource_id, coalesce(r.type, t.resource_type) AS resource_type, c.type,
               c.vulnerability_id, c.title, c.package_names, c.by AS total,
               c.by * (c.severity = 0)::integer AS untriaged, c.by * (c.severity = 1)::integer AS informational,
               c.by * (c.severity = 2)::integer AS low, c.by * (c.severity = 3)::integer AS medium,
               c.by * (c.severity = 4)::integer AS high, c.by * (c.severity = 5)::integer AS critical,
               c.by * coalesce(c.exploit, false)::integer AS exploitable, c.by * (c.fix = 'YES')::integer AS fixable
        FROM (%2$s) c
        LEFT JOIN openinspector.resource r ON r.id = c.resource_id
        LEFT JOIN openinspector.resource_tally t ON t.resource_id = c.resource_id AND t.type = c.type
        WHERE c.status = 'ACTIVE' AND coalesce(r.type, t.resource_type) IS NOT NULL
    ), layers AS (
        INSERT INTO openinspector.layer_recount (resource_id, account, region)
        SELECT DISTINCT resource_id, account, region FROM changed
        WHERE resource_type IN ('AWS_ECR_CONTAINER_IMAGE', 'AWS_LAMBDA_FUNCTION') AND vulnerability_id <> ''
        ORDER BY resource_id ON CONFLICT DO NOTHING
    ), resources AS (
        INSERT INTO openinspector.resource_tally AS t (resource_id, type, account, region, resource_type, total, untriaged, informational, low, medium, high, critical, exploitable, fixable)
        SELECT resource_id, type, account, region, resource_type, sum(total) AS total, sum(untriaged) AS untriaged, sum(informational) AS informational, sum(low) AS low, sum(medium) AS medium, sum(high) AS high, sum(critical) AS critical, sum(exploitable) AS exploitable, sum(fixable) AS fixable
        FROM changed GROUP BY resource_id, type, account, region, resource_type
        HAVING (sum(total), sum(untriaged), sum(informational), sum(low), sum(medium), sum(high), sum(critical), sum(exploitable), sum(fixable)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0)
        ORDER BY resource_id, type
        ON CONFLICT (resource_id, type) DO UPDATE SET total = t.total + excluded.total, untriaged = t.untriaged + excluded.untriaged, informational = t.informational + excluded.informational, low = t.low + excluded.low, medium = t.medium + excluded.medium, high = t.high + excluded.high, critical = t.critical + excluded.critical, exploitable = t.exploitable + excluded.exploitable, fixable = t.fixable + excluded.fixable
    ), flaws AS (
        INSERT INTO openinspector.flaw_tally (account, region, resource_type, type, vulnerability_id, title, total, untriaged, informational, low, medium, high, critical, exploitable, fixable)
        SELECT account, region, resource_type, type, vulnerability_id, title, sum(total) AS total, sum(untriaged) AS untriaged, sum(informational) AS informational, sum(low) AS low, sum(medium) AS medium, sum(high) AS high, sum(critical) AS critical, sum(exploitable) AS exploitable, sum(fixable) AS fixable
        FROM changed GROUP BY account, region, resource_type, type, vulnerability_id, title
        HAVING (sum(total), sum(untriaged), sum(informational), sum(low), sum(medium), sum(high), sum(critical), sum(exploitable), sum(fixable)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0)
    )
    INSERT INTO openinspector.package_tally (account, region, resource_type, type, name, total, untriaged, informational, low, medium, high, critical, exploitable, fixable)
    SELECT account, region, resource_type, type, name, sum(total) AS total, sum(untriaged) AS untriaged, sum(informational) AS informational, sum(low) AS low, sum(medium) AS medium, sum(high) AS high, sum(critical) AS critical, sum(exploitable) AS exploitable, sum(fixable) AS fixable
    FROM changed CROSS JOIN LATERAL (SELECT DISTINCT unnest(package_names) COLLATE "C" AS name) named
    WHERE name <> ''
    GROUP BY account, region, resource_type, type, name
    HAVING (sum(total), sum(untriaged), sum(informational), sum(low), sum(medium), sum(high), sum(critical), sum(exploitable), sum(fixable)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0);
    RETURN NULL;
END $$
$pattern$;
    come text := 'SELECT 1 AS by, a.* FROM added a';
    gone text := 'SELECT -1 AS by, g.* FROM gone g';
BEGIN
    EXECUTE format(pattern, 'tally_added', come);
    EXECUTE format(pattern, 'tally_gone', gone);
    EXECUTE format(pattern, 'tally_changed', come || ' UNION ALL ' || gone);
END $do$;
CREATE TRIGGER tally_added AFTER INSERT ON openinspector.finding
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION openinspector.tally_added();
CREATE TRIGGER tally_gone AFTER DELETE ON openinspector.finding
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION openinspector.tally_gone();
CREATE TRIGGER tally_changed AFTER UPDATE ON openinspector.finding
    REFERENCING NEW TABLE AS added OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION openinspector.tally_changed();
DO $$
DECLARE
    protected text;
BEGIN
    FOREACH protected IN ARRAY ARRAY['resource_tally', 'layer_tally', 'layer_recount', 'flaw_tally', 'package_tally'] LOOP
        EXECUTE format('ALTER TABLE openinspector.%I ENABLE ROW LEVEL SECURITY', protected);
        EXECUTE format('ALTER TABLE openinspector.%I FORCE ROW LEVEL SECURITY', protected);
        EXECUTE format('CREATE POLICY system ON openinspector.%I TO openinspector_system USING (true)', protected);
        EXECUTE format(
            'CREATE POLICY scope ON openinspector.%I TO openinspector_app'
            ' USING (account = ANY ((SELECT openinspector.scope())::text[]))',
            protected
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.%I TO openinspector_system', protected);
        EXECUTE format('GRANT SELECT ON openinspector.%I TO openinspector_app', protected);
    END LOOP;
END $$;
-- What is there already counts as if it had just come.
SET LOCAL ROLE openinspector_system;
INSERT INTO openinspector.resource_tally (resource_id, type, account, region, resource_type, total, untriaged, informational, low, medium, high, critical, exploitable, fixable)
SELECT f.resource_id, f.type, f.account, f.region, r.type, count(*), count(*) FILTER (WHERE f.severity = 0), count(*) FILTER (WHERE f.severity = 1), count(*) FILTER (WHERE f.severity = 2), count(*) FILTER (WHERE f.severity = 3), count(*) FILTER (WHERE f.severity = 4), count(*) FILTER (WHERE f.severity = 5), count(*) FILTER (WHERE f.exploit), count(*) FILTER (WHERE f.fix = 'YES')
FROM openinspector.finding f JOIN openinspector.resource r ON r.id = f.resource_id WHERE f.status = 'ACTIVE' GROUP BY 1, 2, 3, 4, 5;
INSERT INTO openinspector.layer_recount (resource_id, account, region)
SELECT id, account, region FROM openinspector.resource WHERE type IN ('AWS_ECR_CONTAINER_IMAGE', 'AWS_LAMBDA_FUNCTION');
INSERT INTO openinspector.flaw_tally (account, region, resource_type, type, vulnerability_id, title, total, untriaged, informational, low, medium, high, critical, exploitable, fixable, is_new)
SELECT f.account, f.region, r.type, f.type, f.vulnerability_id, f.title, count(*), count(*) FILTER (WHERE f.severity = 0), count(*) FILTER (WHERE f.severity = 1), count(*) FILTER (WHERE f.severity = 2), count(*) FILTER (WHERE f.severity = 3), count(*) FILTER (WHERE f.severity = 4), count(*) FILTER (WHERE f.severity = 5), count(*) FILTER (WHERE f.exploit), count(*) FILTER (WHERE f.fix = 'YES'), false
FROM openinspector.finding f JOIN openinspector.resource r ON r.id = f.resource_id WHERE f.status = 'ACTIVE' GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO openinspector.package_tally (account, region, resource_type, type, name, total, untriaged, informational, low, medium, high, critical, exploitable, fixable, is_new)
SELECT f.account, f.region, r.type, f.type, named.name, count(*), count(*) FILTER (WHERE f.severity = 0), count(*) FILTER (WHERE f.severity = 1), count(*) FILTER (WHERE f.severity = 2), count(*) FILTER (WHERE f.severity = 3), count(*) FILTER (WHERE f.severity = 4), count(*) FILTER (WHERE f.severity = 5), count(*) FILTER (WHERE f.exploit), count(*) FILTER (WHERE f.fix = 'YES'), false
FROM openinspector.finding f JOIN openinspector.resource r ON r.id = f.resource_id CROSS JOIN LATERAL (SELECT DISTINCT unnest(f.package_names) COLLATE "C" AS name) named
WHERE f.status = 'ACTIVE' AND named.name <> '' GROUP BY 1, 2, 3, 4, 5;
RESET ROLE;
-- Of these there are tens of thousands of values. From the usual sample far fewer are seen, and then the planner thinks
-- that each has many findings, and reads all of an account's instead of those.
ALTER TABLE openinspector.finding
    ALTER COLUMN resource_id SET STATISTICS 1000,
    ALTER COLUMN vulnerability_id SET STATISTICS 1000,
    ALTER COLUMN title SET STATISTICS 1000;
ALTER TABLE openinspector.resource ALTER COLUMN external_id SET STATISTICS 1000;

-- Who administers whom is what a scope is made of, so SQL of a request can't make it up: the accounts of an organization
-- are written by the system alone, an administrator is an account of the organization that appoints it, a member one of
-- its administrator's, and who has left stays away until the system says otherwise.
REVOKE INSERT, UPDATE, DELETE ON openinspector.organization FROM openinspector_app;
GRANT UPDATE (document) ON openinspector.organization TO openinspector_app;
CREATE FUNCTION openinspector.only_admins_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_user = 'openinspector_app' AND (
        OLD.document - 'admins' IS DISTINCT FROM NEW.document - 'admins'
        OR EXISTS (
            SELECT FROM jsonb_each_text(NEW.document -> 'admins') AS n (region, admin)
            WHERE OLD.document -> 'admins' ->> n.region IS DISTINCT FROM n.admin
                AND NOT OLD.document -> 'accounts' ? n.admin
        )
    ) THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'permission denied: of an organization a request changes who of its accounts administers it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_admins_changed BEFORE UPDATE ON openinspector.organization
    FOR EACH ROW EXECUTE FUNCTION openinspector.only_admins_changed();
REVOKE UPDATE ON openinspector.delegated_admin, openinspector.member FROM openinspector_app;
GRANT UPDATE (auto_enable, package_paths, updated_at) ON openinspector.delegated_admin TO openinspector_app;
GRANT UPDATE (status, inherits, rules_applied_at, updated_at) ON openinspector.member TO openinspector_app;
CREATE POLICY appointed ON openinspector.delegated_admin AS RESTRICTIVE FOR INSERT TO openinspector_app
    WITH CHECK ((organization_id, account) IN (
        SELECT o.id, a.id FROM openinspector.organization o, jsonb_object_keys(o.document -> 'accounts') AS a (id)
    ));
CREATE POLICY known ON openinspector.member AS RESTRICTIVE FOR INSERT TO openinspector_app
    WITH CHECK (status = 'CREATED' AND (account, region, member) IN (
        SELECT d.account, d.region, a.id FROM openinspector.delegated_admin d
        JOIN openinspector.organization o ON o.id = d.organization_id, jsonb_object_keys(o.document -> 'accounts') AS a (id)
    ));
CREATE POLICY there ON openinspector.member AS RESTRICTIVE FOR UPDATE TO openinspector_app USING (status <> 'DELETED');

-- Of a report a request says that it is wanted, and later that it isn't; how far it is, and what to clear away, it does not.
REVOKE UPDATE, DELETE ON openinspector.report FROM openinspector_app;
GRANT UPDATE (status, finished_at) ON openinspector.report TO openinspector_app;
