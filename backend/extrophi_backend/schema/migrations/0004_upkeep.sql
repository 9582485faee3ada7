-- What keeps the tables from growing with things that nobody needs any more.

-- Captures that no version may refer to: put a moment ago, or of a document that was deleted. A row is not proof: who
-- deletes the bytes looks at the versions first.
CREATE TABLE loose_captures (
    key    text PRIMARY KEY,
    since  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX loose_captures_since ON loose_captures (since);

CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
