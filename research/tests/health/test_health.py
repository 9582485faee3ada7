async def test_ready_once_the_index_is_whole(library, research):
    await library.add("Herons stand in the shallows.", title="herons")
    assert await research.finds("herons", bool) == ["herons"]
    await research.settled()
    answer = await research.client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


async def test_alive_but_not_ready_without_a_database(start_research, tmp_path):
    async with start_research("postgresql://nobody@127.0.0.1:9/none", tmp_path) as research:
        assert (await research.client.get("/health")).json()["status"] == "degraded"
        answer = await research.client.get("/ready")
        assert answer.status_code == 503
        assert "database" in answer.json()["missing"]


async def test_a_look_at_the_head_alone_is_answered(research):
    await research.settled()
    for path in ("/health", "/ready"):
        assert (await research.client.head(path)).status_code == 200


async def test_open_to_others_without_the_service_key(start_research, database, tmp_path):
    async with start_research(database, tmp_path, EXTROPHI_HOST="0.0.0.0") as research:
        answer = await research.client.get("/ready")
        assert answer.status_code == 503
        assert "EXTROPHI_SERVICE_KEY" in answer.json()["missing"]["service_key"]
        refused = await research.client.post("/search", json={"query": "herons"})
        assert refused.status_code == 401
        assert "Set EXTROPHI_SERVICE_KEY" in refused.json()["hint"]
