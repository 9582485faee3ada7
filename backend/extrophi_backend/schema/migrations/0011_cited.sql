-- read_v1 has a function more (views/read_v1.sql): research notes by it what answers cite.

-- Until now, a citation had documents visited that nobody visits by themselves: files, and what was pushed in.
UPDATE documents SET next_visit_at = NULL WHERE platform <> 'web' AND next_visit_at IS NOT NULL;
