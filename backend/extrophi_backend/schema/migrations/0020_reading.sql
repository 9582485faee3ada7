-- What a library is read by: lists in more orders than one.

-- How a title or a name is sorted: without case, accents and the marks before its first word, as far as an index holds it.
-- The "C" collation is the same on every system, and after every update of one. NULL where nothing is left: it comes last.
CREATE FUNCTION sort_key(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(left(regexp_replace(
    lower(regexp_replace(normalize(left(words, 200), NFKD), '[\u0300-\u036f]+', '', 'g')),
    '^[[:space:][:punct:]‘’“”„«»¿¡–—]+', ''), 120), '');

-- Kept beside what they are made of: an index of the expression alone would have it computed again for every row that is
-- gone over. This writes the table anew: half a minute for a million documents, in which nobody reads them.
ALTER TABLE documents
    ADD COLUMN title_key  text COLLATE "C" GENERATED ALWAYS AS (sort_key(title)) STORED,
    ADD COLUMN author_key text COLLATE "C" GENERATED ALWAYS AS (sort_key(author)) STORED;
CREATE INDEX documents_published ON documents (published_at, id);
CREATE INDEX documents_title ON documents (title_key, id);
CREATE INDEX documents_author ON documents (author_key, id);

-- Passages that a reader marked. Of one with a note, the note is a document of its own (docs/decisions/0029).
CREATE TABLE highlights (
    id           uuid PRIMARY KEY,                  -- may be made by the client, who may send it twice
    document_id  uuid NOT NULL,
    version      integer NOT NULL,
    start_offset integer NOT NULL,
    end_offset   integer NOT NULL CHECK (end_offset > start_offset AND start_offset >= 0),
    quote        text NOT NULL,                     -- = version's text[start:end]
    note         text NOT NULL DEFAULT '',
    colour       text NOT NULL CHECK (colour IN ('yellow', 'green', 'blue', 'pink', 'purple')),
    note_id      uuid UNIQUE REFERENCES documents ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (document_id, version) REFERENCES document_versions ON DELETE CASCADE
);
CREATE INDEX highlights_newest ON highlights (created_at, id);
CREATE INDEX highlights_document ON highlights (document_id, created_at, id);
