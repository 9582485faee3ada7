-- What collecting from the web needs to know: what a listing held when it last changed, and how long a host lets us wait.

-- What a collector wants to find again in its next run, by a name of its own: a cache, which may be emptied.
CREATE TABLE memos (
    platform   text NOT NULL,
    name       text NOT NULL,
    value      jsonb NOT NULL,
    saved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, name)
);

ALTER TABLE jobs ADD COLUMN waits integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN jobs.waits IS 'how often in a row it gave its slot back because its platform said to wait';

-- A source is collected by one job at a time; to ask again meanwhile gives the same job.
CREATE UNIQUE INDEX jobs_one_open_per_source ON jobs (source_id)
    WHERE status IN ('queued', 'running') AND source_id IS NOT NULL;
