-- The life of sources, jobs and visits: what a person asked for is known of documents, and old jobs are let go of.

-- Documents that a person asked for. A table of its own: they are few, and what searches read is not locked for it.
CREATE TABLE asked_documents (
    document_id  uuid PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    typed        boolean NOT NULL,      -- a person gave its address: it is looked at again at their word, too
    singly       boolean NOT NULL       -- a job of no source brought it: it is visited though no source has it
);

-- Until now nobody noted it. Where a target led is in the memos; what no source has was brought by a job of none, or by
-- one of a source that is no more: nobody can tell, and it is visited as before.
WITH targets AS (
    SELECT target FROM sources WHERE platform = 'web'
    UNION SELECT target FROM jobs WHERE platform = 'web' AND purpose <> 'revisit'
), typed AS (
    SELECT DISTINCT d.id
      FROM targets t
      LEFT JOIN memos m ON m.platform = 'web' AND m.name = 'at ' || t.target
      JOIN documents d ON d.platform = 'web' AND d.external_id = coalesce(m.value ->> 'to', t.target)
)
INSERT INTO asked_documents (document_id, typed, singly)
SELECT * FROM (
    SELECT d.id, t.id IS NOT NULL AS typed,
           d.next_visit_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM source_documents s WHERE s.document_id = d.id) AS singly
      FROM documents d LEFT JOIN typed t USING (id) WHERE d.platform = 'web') AS asked
 WHERE typed OR singly;

-- A source's own target is tried again as the source is, and is no miss beside it.
DELETE FROM misses m USING sources s WHERE s.id = m.source_id AND m.target IN (s.target, s.typed);

-- Lists of documents that are in a rare state.
CREATE INDEX documents_states ON documents (state, collected_at DESC, id DESC) WHERE state <> 'collected';

-- Old jobs are pruned: those of no source by their age, and none that an investigation names.
CREATE INDEX jobs_of_no_source ON jobs (finished_at) WHERE source_id IS NULL AND finished_at IS NOT NULL;
CREATE INDEX investigations_jobs ON investigations USING gin (job_ids);

-- After a rotation, messages are signed with the secret from before as well, for a while.
ALTER TABLE webhooks
    ADD COLUMN former_sealed bytea,             -- as `sealed`
    ADD COLUMN former_until  timestamptz;
