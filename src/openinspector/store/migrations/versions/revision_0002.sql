-- What the workers need.

-- The queue. Its tables are the library's own, in a schema apart (see store/queue.py), of which this is the history.
CREATE SCHEMA openinspector_queue;
GRANT USAGE ON SCHEMA openinspector_queue TO openinspector_system;
CREATE TABLE openinspector_queue.openinspector_history (
    name text COLLATE "C" PRIMARY KEY,
    applied_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE openinspector_queue.openinspector_history IS 'The migrations of the queue''s library that have been applied.';
