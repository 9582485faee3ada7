-- What `research` may rely on. Columns are added, never changed or removed; a new shape is read_v2, beside it.
-- A change comes with a migration, be it an empty one, so that an older release knows that it is older.

CREATE SCHEMA IF NOT EXISTS read_v1;

CREATE OR REPLACE VIEW read_v1.collections AS SELECT id, name FROM public.collections;

CREATE OR REPLACE VIEW read_v1.documents AS
SELECT id, platform, external_id, version, url, canonical_url, title, author, published_at, language, state, collected_at
  FROM public.documents;

CREATE OR REPLACE VIEW read_v1.versions AS
SELECT document_id, version, text, format, url, canonical_url, title, author, published_at, language, anchors, collected_at
  FROM public.document_versions;

CREATE OR REPLACE VIEW read_v1.deleted_documents AS SELECT id, deleted_at FROM public.deleted_documents;

CREATE OR REPLACE VIEW read_v1.collection_documents AS
SELECT collection_id, document_id FROM public.collection_documents;

CREATE OR REPLACE VIEW read_v1.source_documents AS SELECT source_id, document_id FROM public.source_documents;

CREATE OR REPLACE VIEW read_v1.job_documents AS SELECT job_id, document_id FROM public.job_documents;

CREATE OR REPLACE VIEW read_v1.chunks AS
SELECT id, document_id, version, ordinal, start_offset, end_offset, heading, text, embedding_hash, anchors FROM public.chunks;

CREATE OR REPLACE VIEW read_v1.embedding_models AS
SELECT id, name, dimensions, endpoint, state, activated_at FROM public.embedding_models;

CREATE OR REPLACE VIEW read_v1.vector_store AS SELECT name FROM public.vector_store;

CREATE OR REPLACE VIEW read_v1.embedding_queue AS
SELECT model_id, hash, state, run_after FROM public.embedding_queue;

CREATE OR REPLACE VIEW read_v1.changes AS SELECT seq, txid, document_id, deleted FROM public.changes;

-- The one thing that research may write. With its owner's rights, as the views have them; a reader needs no more than
-- USAGE of the schema. A document that somebody writes just now is passed over: who waited for it while holding others
-- might end that transaction, and it is being looked at anyway.
CREATE OR REPLACE FUNCTION read_v1.note_cited(ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE public.documents d
       SET cited_at = now(), visit_days = least(visit_days, 8),
           next_visit_at = CASE WHEN next_visit_at IS NOT NULL  -- else it is not visited by itself, cited or not
                                THEN least(next_visit_at, now() + interval '1 day') END
      FROM (SELECT id FROM public.documents WHERE id = ANY(ids) FOR NO KEY UPDATE SKIP LOCKED) AS cited
     WHERE d.id = cited.id
$$;

COMMENT ON SCHEMA read_v1 IS 'The contract between backend, which owns the tables, and research, which reads them.';
COMMENT ON COLUMN read_v1.documents.version IS 'Number of the newest version.';
COMMENT ON COLUMN read_v1.documents.state IS 'collected, or gone: vanished at its source and kept here.';
COMMENT ON FUNCTION read_v1.note_cited IS 'An answer cites these documents: whether they change is looked at first, from tomorrow on.';
COMMENT ON COLUMN read_v1.versions.anchors IS
    '[[offset, {"page": 2}], …] ascending; the anchor of a place is the last one at or before it. Keys: page, seconds, url; author, published_at, depth, score, state of what is not the document author''s own.';
COMMENT ON COLUMN read_v1.chunks.start_offset IS 'In code points of the version''s text; text[start:end] = chunk.text.';
COMMENT ON COLUMN read_v1.chunks.anchors IS 'Those of its version that hold for some of it; NULL where they are to be looked for there.';
COMMENT ON COLUMN read_v1.chunks.embedding_hash IS 'Joins embeddings.hash: equal texts share one embedding.';
COMMENT ON COLUMN read_v1.embedding_models.endpoint IS '''local'' (research itself), ''openai'', or a base address that ends in /v1.';
COMMENT ON COLUMN read_v1.embedding_models.state IS 'building | active | retired; search uses the active one.';
COMMENT ON VIEW read_v1.vector_store IS 'pgvector: HNSW indexes over embeddings; chroma: backend is asked (POST /vectors/query).';
COMMENT ON COLUMN read_v1.changes.txid IS 'Settled once below pg_snapshot_xmin(pg_current_snapshot()).';
COMMENT ON COLUMN read_v1.changes.deleted IS 'A tombstone: the document is gone from documents and chunks.';
