import asyncio

import asyncpg

from extrophi_backend.schema.migrate import is_migrated, migrate, migrations


async def test_an_empty_database_becomes_the_newest_and_again_changes_nothing(empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    try:
        assert not await is_migrated(conn)
        assert await migrate(empty_database) == migrations()
        assert await is_migrated(conn)
        assert await migrate(empty_database) == []
        assert await conn.fetchval("SELECT name FROM read_v1.collections") == "default"
    finally:
        await conn.close()


async def test_two_at_once_migrate_once(empty_database: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(migrations())]


async def test_a_start_of_the_same_release_locks_nothing(empty_database: str) -> None:
    await migrate(empty_database)
    reader = await asyncpg.connect(empty_database)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT FROM read_v1.chunks, read_v1.documents, read_v1.embeddings")
            assert await asyncio.wait_for(migrate(empty_database), 10) == []
    finally:
        await reader.close()


async def test_views_are_published_between_searches_and_end_none(empty_database: str) -> None:
    """A search holds one view and asks for another, longer than deadlocks are let be."""
    await migrate(empty_database)
    reader = await asyncpg.connect(empty_database)
    try:
        await reader.execute("COMMENT ON SCHEMA read_v1 IS 'of another release'")
        async with reader.transaction():
            await reader.fetch("SELECT FROM read_v1.embeddings")
            publishing = asyncio.create_task(migrate(empty_database))
            for view in ("chunks", "documents", "versions", "collections") * 5:
                await asyncio.sleep(0.1)
                await reader.fetch(f"SELECT FROM read_v1.{view}")
            assert not publishing.done()
        await asyncio.wait_for(publishing, 10)
        assert await reader.fetchval("SELECT obj_description(to_regnamespace('read_v1'))") != "of another release"
    finally:
        await reader.close()


async def test_a_release_that_is_older_than_the_database_publishes_nothing(empty_database: str) -> None:
    await migrate(empty_database)
    newer = await asyncpg.connect(empty_database)
    try:
        await newer.execute("INSERT INTO schema_migrations (name) VALUES ('9999_newer.sql')")
        await newer.execute("COMMENT ON SCHEMA read_v1 IS 'of a newer release'")
        await migrate(empty_database)
        assert await newer.fetchval("SELECT obj_description(to_regnamespace('read_v1'))") == "of a newer release"
    finally:
        await newer.close()


async def test_a_view_that_is_missing_is_published_again(empty_database: str) -> None:
    await migrate(empty_database)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("DROP VIEW read_v1.collections")
        await migrate(empty_database)
        assert await connection.fetchval("SELECT name FROM read_v1.collections") == "default"
        await connection.execute("DROP FUNCTION read_v1.note_cited")
        await migrate(empty_database)
        await connection.execute("SELECT read_v1.note_cited('{}')")
    finally:
        await connection.close()


async def test_of_a_library_from_before_it_is_known_what_was_typed_and_what_goes_on_being_visited(
    empty_database: str,
) -> None:
    await migrate(empty_database)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(
            """DELETE FROM schema_migrations WHERE name = '0015_life.sql';
               DROP TABLE asked_documents;
               DROP INDEX documents_states, jobs_of_no_source, investigations_jobs;
               ALTER TABLE webhooks DROP COLUMN former_sealed, DROP COLUMN former_until;
               INSERT INTO sources (id, platform, target, typed, collection_id)
               SELECT gen_random_uuid(), 'web', 'u/source', 'source', id FROM collections;
               INSERT INTO misses (source_id, target, code, detail, next_try_at)
               SELECT id, unnest('{u/source,u/listed}'::text[]), 'http_403', '', now() FROM sources;
               INSERT INTO jobs (id, platform, target, typed, collection_id, document_limit, purpose)
               SELECT gen_random_uuid(), 'web', target, '', id, 1, purpose
                 FROM collections, (VALUES ('u/short', 'all'), ('u/visited', 'revisit')) AS j (target, purpose);
               INSERT INTO memos (platform, name, value) VALUES ('web', 'at u/short', '{"to": "u/long"}');
               INSERT INTO documents (id, platform, external_id, content_hash, next_visit_at)
               SELECT gen_random_uuid(), 'web', 'u/' || name, '', CASE WHEN name <> 'pushed' THEN now() END
                 FROM unnest('{source,listed,long,visited,pushed}'::text[]) AS name;
               INSERT INTO source_documents
               SELECT s.id, d.id FROM sources s, documents d WHERE external_id IN ('u/source', 'u/listed')"""
        )
        assert await migrate(empty_database) == ["0015_life.sql"]
        asked = await connection.fetch(
            "SELECT external_id, typed, singly FROM asked_documents JOIN documents ON id = document_id ORDER BY 1"
        )
        assert [tuple(row) for row in asked] == [
            ("u/long", True, True),
            ("u/source", True, False),
            ("u/visited", False, True),
        ]
        assert await connection.fetchval("SELECT array_agg(target) FROM misses") == ["u/listed"]
    finally:
        await connection.close()


async def test_what_nobody_visits_is_taken_off_the_list_of_visits(empty_database: str) -> None:
    await migrate(empty_database)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("DELETE FROM schema_migrations WHERE name = '0011_cited.sql'")
        await connection.execute(
            """INSERT INTO documents (id, platform, external_id, content_hash, next_visit_at)
               SELECT gen_random_uuid(), platform, 'x', '', now() FROM unnest('{web,files}'::text[]) AS platform"""
        )
        assert await migrate(empty_database) == ["0011_cited.sql"]
        visited = await connection.fetch("SELECT platform FROM documents WHERE next_visit_at IS NOT NULL")
        assert [row["platform"] for row in visited] == ["web"]
    finally:
        await connection.close()
