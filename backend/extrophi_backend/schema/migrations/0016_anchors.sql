-- Anchors say whose words a place holds, and when they were said (views/read_v1.sql).

-- Those that hold for some of a chunk, so that a hit in a tree of thousands of comments does not read them all. NULL: none
-- of its document has any, or an older release wrote it; then the version's are looked through.
ALTER TABLE chunks ADD COLUMN anchors jsonb;
