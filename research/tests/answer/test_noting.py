"""What answers cite is noted for backend, and no answer hangs on it."""

import logging

HERONS = "Herons stand in the shallows at dawn. They wait for fish, and strike once."
QUESTION = "When do herons stand in the shallows?"


async def ask(research, question=QUESTION, accept="application/json"):
    answer = await research.client.post("/answer", json={"question": question}, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.text


async def noted(research, library):
    """Titles of what is noted as cited, once all was written."""
    await research.app.state.extrophi.notes.close()
    return [row["title"] for row in await library.conn.fetch("SELECT title FROM documents WHERE cited_at IS NOT NULL")]


async def stock(library):
    await library.add(HERONS, title="herons")
    await library.add("Sourdough bread needs a starter.", title="bread")


async def test_what_answers_cite_is_noted(library, research):
    await stock(library)
    await research.finds("herons", bool)
    assert "Nothing in the" in await ask(research, "Who is the mayor of Reykjavik?")
    assert await noted(research, library) == []
    await ask(research)
    assert await noted(research, library) == ["herons"]
    await library.conn.execute("UPDATE documents SET cited_at = NULL")
    await ask(research, accept="text/event-stream")
    assert await noted(research, library) == ["herons"]


async def test_what_was_cited_last_is_noted_at_the_end(start_research, library, database, tmp_path):
    await stock(library)
    async with start_research(database, tmp_path) as research:
        await research.finds("herons", bool)
        await ask(research)
    assert await library.conn.fetchval("SELECT title FROM documents WHERE cited_at IS NOT NULL") == "herons"


async def test_a_database_that_takes_no_notes_is_answered_from_all_the_same(
    start_research, library, database, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG, "extrophi_research.answer.noting")
    await stock(library)

    async def told(dsn, folder):
        caplog.clear()
        async with start_research(dsn, tmp_path / folder) as research:
            await research.finds("herons", bool)
            for _ in range(2):
                assert "[1]" in await ask(research)
                assert await noted(research, library) == []
        return [(one.levelname, one.getMessage()) for one in caplog.records if "not_noted" in one.getMessage()]

    replica = f"{database}{'&' if '?' in database else '?'}default_transaction_read_only=on"
    assert await told(replica, "a") == 2 * [("DEBUG", "citations.not_noted error=ReadOnlySQLTransactionError")]
    await library.conn.execute("DROP FUNCTION read_v1.note_cited")
    assert await told(database, "b") == 2 * [("DEBUG", "citations.not_noted error=UndefinedFunctionError")]


async def test_who_may_only_read_the_views_notes_all_the_same(library):
    """The function has the rights of its owner, as a view has."""
    await stock(library)
    conn = library.conn
    async with conn.transaction():
        await conn.execute(
            "CREATE ROLE reader; GRANT USAGE ON SCHEMA read_v1 TO reader;"
            "GRANT SELECT ON ALL TABLES IN SCHEMA read_v1 TO reader; SET LOCAL ROLE reader"
        )
        one = await conn.fetchval("SELECT id FROM read_v1.documents WHERE title = 'bread'")
        await conn.execute("SELECT read_v1.note_cited($1)", [one])
        await conn.execute("RESET ROLE; DROP OWNED BY reader; DROP ROLE reader")
    assert await conn.fetchval("SELECT title FROM documents WHERE cited_at IS NOT NULL") == "bread"
