-- The small captures of one page of a collector lie in one object, one after the other. Null: the capture is all of it.
ALTER TABLE document_versions
    ADD COLUMN capture_start  integer,          -- bytes
    ADD COLUMN capture_length integer,          -- bytes
    ADD CONSTRAINT document_versions_capture_part CHECK ((capture_start IS NULL) = (capture_length IS NULL)) NOT VALID;  -- reads no rows
