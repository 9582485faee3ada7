"""A webhook of a source that a real worker process collects."""

import asyncio
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.tests.jobs.test_running import worker, write_notes
from backend.tests.webhooks.receiver import receiving
from extrophi_backend.app import create_app
from extrophi_backend.settings import Settings
from extrophi_cli.embedded.valkey import Valkey


async def test_what_a_worker_collects_for_a_source_reaches_its_webhook(
    settings: Settings, valkey: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTROPHI_SECRET_KEY", "5" * 64)  # the worker's; the API's own is below
    ours: dict[str, Any] = {
        "redis_url": SecretStr(valkey.url), "files_roots": (tmp_path,), "secret_key": SecretStr("5" * 64),
        "fetch_allow": (ip_network("127.0.0.0/8"),),
    }  # fmt: skip
    settings = settings.model_copy(update=ours)
    notes = tmp_path / "notes"
    notes.mkdir()
    write_notes(notes, 20)
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    with receiving() as receiver:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://backend") as api,
        ):
            made = (await api.post("/sources", json={"target": str(notes), "collect": False})).json()
            hook = f"/sources/{made['id']}/webhook"
            (await api.put(hook, json={"url": receiver.url("/hook")})).raise_for_status()
            with worker(settings):
                (await api.post(f"/sources/{made['id']}/jobs")).raise_for_status()
                async with asyncio.timeout(60):
                    while sum(len(one.titles) for one in receiver.got) < 20:
                        await asyncio.sleep(0.1)
                    while (await api.get(hook)).json()["delivered_at"] is None:
                        await asyncio.sleep(0.1)
            shown = (await api.get(hook)).json()
    titles = [title for one in receiver.got for title in one.titles]
    assert sorted(titles) == [f"Note {number}" for number in sorted(range(20), key=str)]
    assert (shown["state"], shown["waiting"], shown["error"]) == ("active", 0, None)
