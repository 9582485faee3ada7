-- The first schema. `backend` alone writes these tables; `research` reads the views of read_v1 (views/read_v1.sql).
-- Ids are UUIDv7, made by the program. Offsets count Unicode code points.

-- Where vectors are in ChromaDB, the database may do without pgvector (0005).
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN feature_not_supported OR undefined_file OR insufficient_privilege THEN NULL;
END $$;

CREATE TABLE collections (
    id          uuid PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    created_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO collections (id, name) VALUES ('00000000-0000-7000-8000-000000000000', 'default');

-- A platform and a canonical target that is collected again and again.
CREATE TABLE sources (
    id             uuid PRIMARY KEY,
    platform       text NOT NULL,
    target         text NOT NULL,               -- canonical
    typed          text NOT NULL,               -- as the person typed it
    title          text NOT NULL DEFAULT '',
    collection_id  uuid NOT NULL REFERENCES collections,
    document_limit integer NOT NULL DEFAULT 100 CHECK (document_limit BETWEEN 1 AND 100000),
    state          text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (platform, target, collection_id)
);

-- One run. PostgreSQL is the truth about it; the message that wakes a worker carries only the id.
CREATE TABLE jobs (
    id             uuid PRIMARY KEY,
    target         text NOT NULL,               -- canonical
    typed          text NOT NULL,
    platform       text NOT NULL,
    source_id      uuid REFERENCES sources ON DELETE SET NULL,
    collection_id  uuid NOT NULL REFERENCES collections,
    document_limit integer NOT NULL CHECK (document_limit BETWEEN 1 AND 100000),
    status         text NOT NULL DEFAULT 'queued'
                   CHECK (status IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'canceled')),
    found          integer NOT NULL DEFAULT 0,
    created        integer NOT NULL DEFAULT 0,
    updated        integer NOT NULL DEFAULT 0,
    unchanged      integer NOT NULL DEFAULT 0,
    failed         integer NOT NULL DEFAULT 0,
    error          jsonb,                       -- {"code", "detail", "hint"} of what ended it
    cursor         jsonb,                       -- where the collector goes on; saved with each page
    fence          bigint NOT NULL DEFAULT 0,   -- number of the attempt; an older one may write nothing more
    attempts       integer NOT NULL DEFAULT 0,
    deaths         integer NOT NULL DEFAULT 0,  -- attempts that died at this cursor
    suspect        text,                        -- the document under work, so that a poisonous one can be named
    set_aside      text[] NOT NULL DEFAULT '{}',-- documents that killed five attempts
    sent_at        timestamptz,                 -- when a message last told a worker of it
    worker         text,
    lease_until    timestamptz,
    run_after      timestamptz NOT NULL DEFAULT now(),
    cancel_requested boolean NOT NULL DEFAULT false,
    revision       bigint NOT NULL DEFAULT 1,   -- goes up with every change that a watcher sees; the SSE event id
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz
);
CREATE INDEX jobs_open ON jobs (run_after) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_source ON jobs (source_id, id);

CREATE TABLE job_failures (
    job_id      uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq         integer NOT NULL,
    target      text NOT NULL,
    code        text NOT NULL,
    detail      text NOT NULL,
    PRIMARY KEY (job_id, seq)
);

CREATE TABLE documents (
    id             uuid PRIMARY KEY,
    platform       text NOT NULL,
    external_id    text NOT NULL,
    version        integer NOT NULL DEFAULT 1,  -- the newest
    url            text,
    canonical_url  text,
    title          text NOT NULL DEFAULT '',
    author         text,
    published_at   timestamptz,
    language       text,
    content_hash   bytea NOT NULL,              -- sha256 of what makes a version: text, title, author, published_at, url, language
    state          text NOT NULL DEFAULT 'collected',   -- collected | gone
    gone_at        timestamptz,
    validators     jsonb NOT NULL DEFAULT '{}', -- etag, last_modified, size, mtime_ns …: what makes looking again cheap
    collected_at   timestamptz NOT NULL DEFAULT now(),  -- when this version was first seen
    seen_at        timestamptz NOT NULL DEFAULT now(),  -- when it was last seen
    UNIQUE (platform, external_id)
);
CREATE INDEX documents_newest ON documents (collected_at DESC, id DESC);

CREATE TABLE document_versions (
    document_id    uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    version        integer NOT NULL,
    text           text NOT NULL,
    format         text NOT NULL DEFAULT 'text',
    url            text,
    canonical_url  text,
    title          text NOT NULL,
    author         text,
    published_at   timestamptz,
    language       text,
    content_hash   bytea NOT NULL,
    anchors        jsonb NOT NULL DEFAULT '[]', -- [[offset, {"page": 2}], …] ascending: where in the original a place of the text is
    capture_key    text,                        -- in the object store
    capture_media_type text,
    collected_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (document_id, version)
);

CREATE INDEX document_versions_capture ON document_versions (capture_key) WHERE capture_key IS NOT NULL;

-- A citation of a deleted document answers 410, not 404.
CREATE TABLE deleted_documents (
    id          uuid PRIMARY KEY,
    deleted_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE collection_documents (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    document_id   uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (collection_id, document_id)
);
CREATE INDEX collection_documents_document ON collection_documents (document_id);

CREATE TABLE source_documents (
    source_id     uuid NOT NULL REFERENCES sources ON DELETE CASCADE,
    document_id   uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (source_id, document_id)
);
CREATE INDEX source_documents_document ON source_documents (document_id);

CREATE TABLE job_documents (
    job_id        uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    document_id   uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (job_id, document_id)
);
CREATE INDEX job_documents_document ON job_documents (document_id);

-- The chunks of every document's newest version. Older versions keep their text, which is all a citation needs.
CREATE TABLE chunks (
    id             uuid PRIMARY KEY,
    document_id    uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    version        integer NOT NULL,
    ordinal        integer NOT NULL,
    start_offset   integer NOT NULL,
    end_offset     integer NOT NULL,
    heading        text NOT NULL DEFAULT '',    -- the headings above it, joined by " > "
    text           text NOT NULL,               -- = version's text[start:end]
    embedding_hash bytea NOT NULL,              -- sha256 of what is embedded: equal texts share one embedding
    UNIQUE (document_id, ordinal)
);
CREATE INDEX chunks_embedding_hash ON chunks (embedding_hash);

CREATE TABLE embedding_models (
    id          smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    dimensions  integer NOT NULL CHECK (dimensions BETWEEN 1 AND 4000), -- halfvec's HNSW limit
    endpoint    text NOT NULL,  -- 'local' (research), 'openai', or the base address of another endpoint
    state       text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    UNIQUE (name, endpoint)
);
CREATE UNIQUE INDEX embedding_models_one_active ON embedding_models ((true)) WHERE state = 'active';
CREATE UNIQUE INDEX embedding_models_one_building ON embedding_models ((true)) WHERE state = 'building';

-- One vector per model and distinct text; each model has a partial HNSW index over (vector::halfvec(its dimensions)).
-- Without pgvector, the vector is what halfvec_send gives.
DO $$ BEGIN
    EXECUTE format(
        'CREATE TABLE embeddings (
            model_id    smallint NOT NULL REFERENCES embedding_models ON DELETE CASCADE,
            hash        bytea NOT NULL,
            vector      %s NOT NULL,
            PRIMARY KEY (model_id, hash)
        )', CASE WHEN to_regtype('halfvec') IS NULL THEN 'bytea' ELSE 'halfvec' END);
END $$;

-- What waits for an embedding, and what never gets one.
CREATE TABLE embedding_queue (
    model_id    smallint NOT NULL REFERENCES embedding_models ON DELETE CASCADE,
    hash        bytea NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'failed')),
    attempts    integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    run_after   timestamptz NOT NULL DEFAULT now(),
    error       text,
    PRIMARY KEY (model_id, hash)
);
CREATE INDEX embedding_queue_pending ON embedding_queue (model_id, run_after) WHERE state = 'pending';

-- The change log that keyword indexes follow. A row per document written or deleted, in the writing transaction.
-- Readers take rows with txid below the oldest running transaction as settled; later ones may still be joined by
-- rows of smaller (txid, seq) that commit late.
CREATE TABLE changes (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    txid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    document_id uuid NOT NULL,
    deleted     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (txid, seq)
);
CREATE INDEX changes_document ON changes (document_id);

CREATE TABLE investigations (
    id             uuid PRIMARY KEY,
    question       text NOT NULL,
    targets        text[] NOT NULL,
    document_limit integer NOT NULL,
    scope          text NOT NULL CHECK (scope IN ('targets', 'library')),
    status         text NOT NULL DEFAULT 'queued'
                   CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
    job_ids        uuid[] NOT NULL DEFAULT '{}',
    answer         jsonb,
    error          jsonb,
    cancel_requested boolean NOT NULL DEFAULT false,
    fence          bigint NOT NULL DEFAULT 0,
    lease_until    timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz
);
CREATE INDEX investigations_open ON investigations (lease_until) WHERE status IN ('queued', 'running');

CREATE TABLE investigation_events (
    investigation_id uuid NOT NULL REFERENCES investigations ON DELETE CASCADE,
    seq              bigint NOT NULL,
    event            text NOT NULL,
    data             jsonb NOT NULL,
    PRIMARY KEY (investigation_id, seq)
);
