-- A part of read_v1 (read_v1.sql) that changes with the type of a column.

-- Without pgvector, the column is no halfvec but its bytes.
DO $$ BEGIN
    EXECUTE format(
        'CREATE OR REPLACE VIEW read_v1.embeddings AS SELECT model_id, hash, vector, %s AS bytes FROM public.embeddings',
        CASE WHEN (SELECT atttypid FROM pg_attribute
                    WHERE attrelid = 'public.embeddings'::regclass AND attname = 'vector') = 'bytea'::regtype
             THEN 'vector' ELSE 'halfvec_send(vector)' END);
END $$;

COMMENT ON COLUMN read_v1.embeddings.vector IS 'halfvec, of unit length; HNSW: (vector::halfvec(dimensions)) halfvec_cosine_ops WHERE model_id = id.';
COMMENT ON COLUMN read_v1.embeddings.bytes IS 'As halfvec_send gives it: four bytes, then halves, the most significant byte first.';
