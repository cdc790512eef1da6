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
