-- How a browser showed a page that its scripts made: WebP, in the object store beside the capture.
ALTER TABLE document_versions ADD COLUMN screenshot_key text;

CREATE INDEX document_versions_screenshot ON document_versions (screenshot_key) WHERE screenshot_key IS NOT NULL;
