-- A person's data archive of a platform, kept for as long as its job has not ended.
CREATE TABLE archives (
    id          uuid PRIMARY KEY,
    platform    text NOT NULL,
    name        text NOT NULL,              -- of the file, as it was sent
    capture_key text NOT NULL,              -- in the object store
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX archives_capture ON archives (capture_key);
