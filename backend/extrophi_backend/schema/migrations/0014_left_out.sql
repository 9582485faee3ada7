-- What a job met of a site and left, since it may be a place without end: {"count": 37, "examples": [{"target": "https://…", "count": 30}]},
-- the kinds with the most of them first. Null: nothing was left, or the job has not ended.
ALTER TABLE jobs ADD COLUMN left_out jsonb;
