-- What a person writes: drafts with all their revisions and images, and answers that were kept.

CREATE TABLE drafts (
    id          uuid PRIMARY KEY,           -- may be the client's: one made offline is stored once
    title       text NOT NULL,              -- read from the text, as are the next three
    excerpt     text NOT NULL,
    words       integer NOT NULL,
    characters  integer NOT NULL,
    settings    json NOT NULL,              -- the Writer's; json and not jsonb: it is kept as it came
    revision    integer NOT NULL,           -- the newest: its text is the draft's
    digest      bytea NOT NULL,             -- of text, bibliography and settings: the same again changes nothing
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    trashed_at  timestamptz,
    thinned_at  timestamptz NOT NULL        -- when its revisions were last looked through
);
CREATE INDEX drafts_newest ON drafts (updated_at DESC, id DESC);
CREATE INDEX drafts_trashed ON drafts (trashed_at) WHERE trashed_at IS NOT NULL;
CREATE INDEX drafts_thinned ON drafts (thinned_at);

-- Texts are kept in pieces, and a piece that many revisions have is kept once: someone who types for an hour saves
-- hundreds of revisions that differ in a paragraph.
CREATE TABLE draft_pieces (
    draft_id  uuid NOT NULL REFERENCES drafts ON DELETE CASCADE,
    hash      bytea NOT NULL,
    body      text NOT NULL,
    PRIMARY KEY (draft_id, hash)
);

CREATE TABLE draft_revisions (
    draft_id             uuid NOT NULL REFERENCES drafts ON DELETE CASCADE,
    revision             integer NOT NULL,
    saved_at             timestamptz NOT NULL,
    title                text NOT NULL,
    words                integer NOT NULL,
    characters           integer NOT NULL,
    mark                 text CHECK (mark IN ('restored', 'merged')),
    text_pieces          bytea[] NOT NULL,  -- hashes, in order
    bibliography_pieces  bytea[] NOT NULL,  -- the same, of JSON lines: an item each
    images               text[] NOT NULL,   -- names that the text mentions
    PRIMARY KEY (draft_id, revision)
);

CREATE FUNCTION joined_pieces(of_draft uuid, hashes bytea[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(p.body, '' ORDER BY h.n), '')
      FROM unnest(hashes) WITH ORDINALITY AS h (hash, n)
      JOIN draft_pieces p ON p.draft_id = of_draft AND p.hash = h.hash
$$;

CREATE TABLE draft_images (
    draft_id    uuid NOT NULL REFERENCES drafts ON DELETE CASCADE,
    name        text NOT NULL,
    media_type  text NOT NULL,
    body        bytea NOT NULL,
    came_at     timestamptz NOT NULL,       -- when it was last sent
    PRIMARY KEY (draft_id, name)
);
ALTER TABLE draft_images ALTER COLUMN body SET STORAGE EXTERNAL;  -- images are compressed already
CREATE INDEX draft_images_came ON draft_images (came_at);

CREATE TABLE answers (
    id          uuid PRIMARY KEY,
    question    text NOT NULL,
    answer      text NOT NULL,
    citations   json NOT NULL,
    model       text NOT NULL,
    abstained   boolean NOT NULL,
    searched    json NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX answers_newest ON answers (created_at DESC, id DESC);
