-- A target that is a source already is found in its other spellings, too: with http or https, with `www.` or without.

-- What the spellings of a target have in common. `target` is canonical: ports that a scheme has anyway are not in it,
-- and where one is named, http and https are two servers. `www.com` is no other spelling of `com`.
CREATE FUNCTION source_key(platform text, target text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN platform = 'web' THEN
    regexp_replace(regexp_replace(target, '^(https?://)www\.(?=[^/:]+\.[^/:])', '\1'),
                   '^https?://(?=[^/:[]+/|\[[^]/]+\]/)', '')
    ELSE target END;

ALTER TABLE sources
    ADD COLUMN key  text,                                    -- source_key; null: of a release that knew none
    ADD COLUMN twin integer NOT NULL DEFAULT 0;              -- see below

-- Libraries from before may hold several sources of one key. They stay, each with its documents, schedule and webhook:
-- the first is number 0, as every new one is, and those after it have numbers that none will be given any more. So the
-- index lets them be, and no further one in. Once the first is deleted, those left are still found by the key.
UPDATE sources s SET key = numbered.key, twin = numbered.twin
  FROM (SELECT id, source_key(platform, target) AS key,
               row_number() OVER (PARTITION BY platform, source_key(platform, target), collection_id
                                  ORDER BY created_at, id) - 1 AS twin
          FROM sources) AS numbered
 WHERE numbered.id = s.id;
CREATE UNIQUE INDEX sources_key ON sources (platform, key, collection_id, twin);
