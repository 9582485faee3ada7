-- Sites collected as a whole, and what could not be had of a source.

-- What a target reaches to: a page (or what a feed or sitemap lists), or all of a site, so many steps from its front.
ALTER TABLE sources
    ADD COLUMN scope text NOT NULL DEFAULT 'page' CHECK (scope IN ('page', 'site')),
    ADD COLUMN depth integer CHECK (depth BETWEEN 0 AND 20);
ALTER TABLE jobs
    ADD COLUMN scope text NOT NULL DEFAULT 'page' CHECK (scope IN ('page', 'site')),
    ADD COLUMN depth integer CHECK (depth BETWEEN 0 AND 20);

-- The addresses that a job has met, until it ends. Written with the page that met or settled them.
CREATE TABLE frontier (
    job_id      uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    key         bytea NOT NULL,             -- of all spellings of one address
    url         text NOT NULL,
    rank        smallint NOT NULL,          -- what waits is taken by rank, then by position
    position    bigint NOT NULL,
    depth       integer NOT NULL,
    entry       jsonb,                      -- what listed it said of it
    state       text NOT NULL,              -- waiting, or why it waits no more
    PRIMARY KEY (job_id, key)
);
CREATE INDEX frontier_waiting ON frontier (job_id, rank, position) WHERE state = 'waiting';

-- What a job has learned of kinds of addresses, so that no trap holds it for long.
CREATE TABLE frontier_patterns (
    job_id      uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    name        text NOT NULL,
    value       jsonb NOT NULL,
    PRIMARY KEY (job_id, name)
);

-- What could not be had of a source, and when it is tried again by a run that looks for what is new.
CREATE TABLE misses (
    source_id   uuid NOT NULL REFERENCES sources ON DELETE CASCADE,
    target      text NOT NULL,
    code        text NOT NULL,
    detail      text NOT NULL,
    tries       integer NOT NULL DEFAULT 1,
    tried_at    timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, target)
);
CREATE INDEX misses_due ON misses (next_try_at);
