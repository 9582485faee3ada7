-- Sources that stay current by themselves, and what is known of how each of them is.

ALTER TABLE sources
    ADD COLUMN schedule    text NOT NULL DEFAULT 'auto',     -- auto | never | 90m | cron fields; see sources/schedule.py
    ADD COLUMN time_zone   text NOT NULL DEFAULT 'UTC',      -- cron fields are read in it
    ADD COLUMN health      text NOT NULL DEFAULT 'new',      -- what its last look came to; `state` is the person's wish
    ADD COLUMN reason      jsonb,                            -- {"code", "detail", "hint"} where that needs one
    ADD COLUMN failures    integer NOT NULL DEFAULT 0,       -- looks in a row that came to nothing
    ADD COLUMN looked_at   timestamptz,                      -- when its last look ended
    ADD COLUMN first_look  timestamptz,                      -- what it holds from before then is no news
    ADD COLUMN full_look_at timestamptz,                     -- when all of it, not only what is new, was last looked at
    ADD COLUMN next_run_at timestamptz;                      -- null: not by itself
CREATE INDEX sources_due ON sources (next_run_at) WHERE state = 'active';

-- Those from before have been looked at, and are due within the hour, not all at once.
UPDATE sources s
   SET next_run_at = now() + random() * interval '1 hour', first_look = j.finished_at, looked_at = j.finished_at,
       health = CASE j.status WHEN 'failed' THEN 'failed' ELSE 'collected' END
  FROM (SELECT DISTINCT ON (source_id) source_id, finished_at, status FROM jobs
         WHERE source_id IS NOT NULL AND finished_at IS NOT NULL ORDER BY source_id, id DESC) AS j
 WHERE j.source_id = s.id;
UPDATE sources SET next_run_at = now() + random() * interval '1 hour' WHERE next_run_at IS NULL;

-- all: every document that is listed is looked at. new: those that are not known yet. revisit: those of `revisit`.
ALTER TABLE jobs
    ADD COLUMN purpose   text NOT NULL DEFAULT 'all' CHECK (purpose IN ('all', 'new', 'revisit')),
    ADD COLUMN scheduled boolean NOT NULL DEFAULT false,     -- nobody waits for it
    ADD COLUMN revisit   text[] NOT NULL DEFAULT '{}';       -- external ids
CREATE INDEX jobs_scheduled ON jobs (run_after) WHERE status = 'queued' AND scheduled;

-- A document is looked at again now and then: it may change, or vanish.
ALTER TABLE documents
    ADD COLUMN reason        jsonb,                          -- {"code", "detail"} of a state other than collected
    ADD COLUMN next_visit_at timestamptz,                    -- null: not by itself
    ADD COLUMN visit_days    real NOT NULL DEFAULT 2,        -- until the visit after that
    ADD COLUMN cited_at      timestamptz;                    -- when an answer last cited it: those come first
CREATE INDEX documents_visits ON documents (next_visit_at) WHERE next_visit_at IS NOT NULL;
UPDATE documents d SET next_visit_at = now() + (2 + random() * 28) * interval '1 day'
 WHERE platform = 'web' AND EXISTS (SELECT FROM source_documents s WHERE s.document_id = d.id);

-- How often something may be asked, whoever of us asks: a host, or a platform with somebody's credential.
CREATE TABLE budgets (
    name     text PRIMARY KEY,
    free_at  timestamptz NOT NULL,                           -- when the next request may begin
    month    date,                                           -- what `used` counts
    used     bigint NOT NULL DEFAULT 0
);
CREATE INDEX budgets_free_at ON budgets (free_at);

-- Take a turn. Two at once meet on the row's lock, so that no turn is given twice.
-- `wait` is the time until it. Where that is longer than `patience`, or the month's cap is spent, none is taken, and
-- `wait` is the time until one can be.
CREATE FUNCTION take_turn(of_name text, spacing interval, patience interval, month_cap bigint,
                          OUT is_taken boolean, OUT wait interval)
LANGUAGE plpgsql AS $$
DECLARE
    budget     budgets;
    moment     timestamptz;
    this_month timestamp;
BEGIN
    INSERT INTO budgets (name, free_at) VALUES (of_name, '-infinity') ON CONFLICT (name) DO NOTHING;
    SELECT * INTO budget FROM budgets WHERE name = of_name FOR NO KEY UPDATE;
    moment := clock_timestamp();
    this_month := date_trunc('month', moment AT TIME ZONE 'UTC');
    IF budget.month IS DISTINCT FROM this_month::date THEN
        budget.used := 0;
    END IF;
    budget.free_at := greatest(budget.free_at, moment);
    IF budget.used >= month_cap THEN
        is_taken := false;
        wait := (this_month + interval '1 month') AT TIME ZONE 'UTC' - moment;
        RETURN;
    END IF;
    wait := budget.free_at - moment;
    is_taken := wait <= patience;
    IF is_taken THEN
        UPDATE budgets SET free_at = budget.free_at + spacing, month = this_month::date, used = budget.used + 1
         WHERE name = of_name;
    END IF;
END $$;
