-- Who can get to a resource, and the networks that say so.
ALTER TABLE openinspector.resource ADD COLUMN posture text COLLATE "C" DEFAULT '' NOT NULL;
COMMENT ON TABLE openinspector.resource IS 'An instance, image, function or repository. `external_id` is Inspector''s (`i-…`, an ARN), `details` the noun of its kind without its tag, `posture` who can get to it (`model.environment.Posture`), `inventory_id` what was last read from it, `gone_at` when it ceased to be.';

CREATE TABLE openinspector.network (
    account text COLLATE "C",
    region text COLLATE "C",
    number bigint DEFAULT 0 NOT NULL,
    status text COLLATE "C" DEFAULT '' NOT NULL,
    problems jsonb DEFAULT '[]' NOT NULL,
    instances integer DEFAULT 0 NOT NULL,
    read_at timestamptz,
    due_at timestamptz,
    due_reason text COLLATE "C" DEFAULT '' NOT NULL,
    PRIMARY KEY (account, region)
);
CREATE INDEX network_due ON openinspector.network (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE openinspector.network IS 'How the network of an account was read last (`status` is whole, partial or failed, and `problems` say why), and when and why it is due to be read. `number` is raised when a reading starts; one that ends with an older one writes nothing.';
ALTER TABLE openinspector.network ENABLE ROW LEVEL SECURITY;
ALTER TABLE openinspector.network FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON openinspector.network TO openinspector_system USING (true);
CREATE POLICY scope ON openinspector.network TO openinspector_app
    USING (account = ANY ((SELECT openinspector.scope())::text[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON openinspector.network TO openinspector_system;
GRANT SELECT ON openinspector.network TO openinspector_app;
