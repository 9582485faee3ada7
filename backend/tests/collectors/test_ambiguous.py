"""What may mean several things is asked back about, and nothing of it is stored."""

from pathlib import Path

import httpx
import pytest

from extrophi_backend.settings import Settings


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "notes.md").write_text("# Notes\n\nHerons stand in the shallows.\n")
    (tmp_path / "roots" / "diary").mkdir()
    return settings.model_copy(update={"files_roots": (tmp_path / "roots",)})


@pytest.mark.parametrize(
    ("typed", "platforms"),
    [
        ("@handle", ["twitter", "youtube"]),
        (" example ", ["twitter", "youtube", "reddit"]),
        ("diary", ["files", "twitter", "youtube", "reddit"]),
        ("notes.md", ["files", "web"]),
    ],
)
async def test_a_name_that_may_mean_several_things_is_answered_with_them(
    api: httpx.AsyncClient, typed: str, platforms: list[str], tmp_path: Path
) -> None:
    for path, body, field in (
        ("/sources", {"target": typed}, "target"),
        ("/jobs", {"target": typed}, "target"),
        ("/investigations", {"question": "Why?", "targets": ["https://example.org/a", typed]}, "targets.1"),
    ):
        answer = await api.post(path, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["field"]) == (422, "ambiguous_target", field)
        assert answer.headers["content-type"] == "application/problem+json"
        assert [choice["platform"] for choice in problem["choices"]] == platforms
        assert all(choice["title"] for choice in problem["choices"])
    assert (await api.get("/jobs")).json()["items"] == []
    assert (await api.get("/sources")).json()["items"] == []
    if "files" in platforms:
        chosen = await api.post("/jobs", json={"target": problem["choices"][0]["target"]})
        assert (chosen.status_code, chosen.json()["platform"]) == (202, "files")


@pytest.mark.parametrize("typed", ["other.md", "https://notes.md", "notes.md/page"])
async def test_what_means_one_thing_is_taken(api: httpx.AsyncClient, typed: str) -> None:
    answer = await api.post("/jobs", json={"target": typed})
    assert (answer.status_code, answer.json()["platform"]) == (202, "web")


@pytest.mark.parametrize("typed", [".", "..", "../x", "a b", "\x01", "-", "%2e%2e"])
async def test_names_that_are_none_look_at_no_file(api: httpx.AsyncClient, typed: str) -> None:
    answer = await api.post("/jobs", json={"target": typed})
    assert answer.status_code == 422
    assert "files" not in [choice["platform"] for choice in answer.json().get("choices", [])]
