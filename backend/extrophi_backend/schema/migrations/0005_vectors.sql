-- Where the nearest vectors are looked for: by pgvector's index, or in ChromaDB. They stay in `embeddings`, wherever.

CREATE TABLE vector_store (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    name       text NOT NULL CHECK (name IN ('pgvector', 'chroma')),
    moving_to  text CHECK (moving_to IN ('pgvector', 'chroma') AND moving_to <> name),
    paused     boolean NOT NULL DEFAULT false               -- whether the move rests
);
INSERT INTO vector_store (name) VALUES ('pgvector');

-- Vectors that ChromaDB is to be told of: those that are in `embeddings` when the row is read are put there, the others
-- are taken away. So the order does not matter, nor how often one is told. Without a hash: the model's whole collection.
CREATE TABLE vector_outbox (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id   smallint NOT NULL,
    hash       bytea
);
CREATE INDEX vector_outbox_hash ON vector_outbox (model_id, hash);

CREATE FUNCTION tell_vector_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM vector_store WHERE name = 'chroma' OR moving_to = 'chroma') THEN
        INSERT INTO vector_outbox (model_id, hash) SELECT model_id, hash FROM changed;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER embeddings_stored AFTER INSERT ON embeddings REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_vector_store();
CREATE TRIGGER embeddings_deleted AFTER DELETE ON embeddings REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_vector_store();
