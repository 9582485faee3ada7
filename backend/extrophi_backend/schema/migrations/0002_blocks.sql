-- A version keeps the blocks it was cut along, so that a library taken elsewhere is cut into the same chunks there.
-- Empty: the text's own structure (blank lines, Markdown's headings), or a version from before this migration.

ALTER TABLE document_versions ADD COLUMN blocks integer[] NOT NULL DEFAULT '{}';

COMMENT ON COLUMN document_versions.blocks IS '{{start, end, level}, …} ascending; level 1 to 6 is a heading''s, else 0.';
