"""The commands against a real Extrophi, one for all tests here."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from backend.tests.webhooks.receiver import Got, receiving
from extrophi_backend.webhooks.signing import sign
from extrophi_cli.embedded.valkey import Valkey
from tests.embeddings_endpoint import serving
from tests.system.running import REPO, Running, eventually, up

pytestmark = pytest.mark.xdist_group("commands")
READING = str(REPO / "examples" / "reading")
QUESTION = "Why do long articles get read less on phones?"


@pytest.fixture(scope="module")
def extrophi() -> Iterator[Running]:
    roots = f"{REPO},{Path(tempfile.gettempdir()).resolve()}"  # what tests write stays out of the person's home
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8", EXTROPHI_FILES_ROOTS=roots) as running:
        collected = running.cli("collect", READING)
        assert collected.returncode == 0, collected.stderr
        assert re.search(r"succeeded: 10 found, 10 new \(\d+ s\)", collected.stderr)
        yield running


@pytest.fixture
def slow_site() -> Iterator[str]:
    """A page that does not come until the test is over."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait(60)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/page"
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "extrophi_cli", *arguments]


@pytest.mark.parametrize("arguments", [["collect"], ["investigate", QUESTION]])
def test_ctrl_c_cancels_the_jobs_and_nothing_else(extrophi: Running, slow_site: str, arguments: list[str]) -> None:
    process = subprocess.Popen(
        command(*arguments, slow_site),
        env=extrophi.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while ": running" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "goes on running" in err
    assert "Traceback" not in err

    def canceled() -> bool | None:
        [job, *_] = [job for job in extrophi.get("/api/jobs")["items"] if job["target"] == slow_site]
        return True if job["status"] == "canceled" else None

    eventually(canceled)
    assert extrophi.cli("status").returncode == 0


def test_a_job_is_canceled_by_its_id(extrophi: Running, slow_site: str) -> None:
    job = extrophi.post("/api/jobs", {"target": slow_site})
    assert extrophi.cli("jobs", job["id"], "--cancel").returncode == 0
    assert extrophi.ended(job["id"])["status"] == "canceled"
    shown = extrophi.cli("jobs", job["id"], "--json")
    assert json.loads(shown.stdout)["status"] == "canceled"


def test_everything_that_lists_prints_json(extrophi: Running) -> None:
    for arguments in (["jobs"], ["embeddings"], ["search", "phones"], ["sources"], ["doctor"]):
        ran = extrophi.cli(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        assert isinstance(json.loads(ran.stdout)["items"], list)
    for arguments in (["status"], ["ask", QUESTION], ["collect", READING], ["up", "--detach"]):
        ran = extrophi.cli(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        assert isinstance(json.loads(ran.stdout), dict)
        assert len(ran.stdout.splitlines()) == 1


def test_files_are_uploaded_to_one_that_is_elsewhere(extrophi: Running, tmp_path: Path) -> None:
    folder = tmp_path / "carried"
    folder.mkdir()
    (folder / "note.md").write_text("# Quolls\n\nThe quoll hunts at night.\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    far = {**extrophi.environment, "EXTROPHI_HOME": str(tmp_path / "none"), "EXTROPHI_PORT": ""}
    url = str(extrophi.client.base_url)
    ran = subprocess.run(
        command("collect", str(folder), "--url", url), env=far, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 5, ran.stderr
    assert "carried/broken.pdf" in ran.stderr

    def found() -> bool:
        ran = subprocess.run(
            command("search", "quoll", "--json", "--url", url), env=far, capture_output=True, text=True, check=True
        )
        return json.loads(ran.stdout)["items"][0]["citation"]["external_id"].endswith("carried/note.md")

    eventually(lambda: found() or None)  # within a second of its commit, on a machine that is not busy
    assert not (tmp_path / "none").exists()


def on_terminal(extrophi: Running, *arguments: str, columns: int) -> str:
    """What a terminal of that width is sent."""
    ours, theirs = pty.openpty()
    settings = {**extrophi.environment, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    process = subprocess.Popen(command(*arguments), env=settings, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # EIO: the last writer has closed it
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0, shown
    return shown.decode().replace("\r\n", "\n")


def test_a_narrow_terminal_shows_whole_ids_and_no_colour(extrophi: Running) -> None:
    job = extrophi.post("/api/jobs", {"target": READING})
    extrophi.ended(job["id"])
    narrow = on_terminal(extrophi, "jobs", columns=40)
    assert job["id"] in narrow
    assert "  state: succeeded: 10 found" in narrow
    wide = on_terminal(extrophi, "jobs", columns=160)
    assert re.search(rf"{job['id']} +{re.escape(READING)} +succeeded: 10 found", wide)
    found = on_terminal(extrophi, "search", "phones", columns=40)
    assert f"{Path(READING).as_uri()}/01-why-long-articles-lose-on-phones.md" in found  # a link that is broken is none
    for shown in (narrow, wide, found):
        assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", shown)  # SGR 30 to 49: colours


def test_a_terminal_sees_collecting_move_in_place(extrophi: Running) -> None:
    shown = on_terminal(extrophi, "collect", READING, columns=100)
    assert "queued" not in shown.split("\x1b", 1)[0]  # nothing is printed before the live table
    assert re.search(r"reading +succeeded: 10 found, 0 new, 10 unchanged", shown)


async def test_a_model_searches_reads_and_asks(extrophi: Running) -> None:
    server = StdioServerParameters(command=sys.executable, args=command("mcp")[1:], env=extrophi.environment)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        assert {tool.name for tool in (await session.list_tools()).tools} == {"search", "read_document", "ask"}

        async def call(name: str, **arguments: Any) -> dict[str, Any]:
            answer = await session.call_tool(name, arguments)
            assert not answer.is_error, answer
            assert answer.structured_content is not None
            return answer.structured_content

        hit = (await call("search", query="phones", limit=3))["items"][0]
        citation = hit["citation"]
        document = await call("read_document", document_id=citation["document_id"])
        assert document["text"][citation["quote_start"] : citation["quote_end"]] == citation["quote"]
        assert (await call("ask", question=QUESTION))["citations"]
        refused = await session.call_tool("read_document", {"document_id": "nonsense"})
        assert refused.is_error


async def test_a_model_collects_where_that_was_allowed(extrophi: Running) -> None:
    arguments = command("mcp", "--allow-collect")[1:]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=extrophi.environment)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        answer = await session.call_tool("collect", {"target": READING})
        assert answer.structured_content is not None
        job = extrophi.ended(answer.structured_content["id"])
        assert job["progress"]["unchanged"] == 10


def test_sources_are_added_listed_and_removed(extrophi: Running, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Numbats\n\nThe numbat eats termites.\n")
    added = extrophi.cli("add", str(tmp_path))
    assert added.returncode == 0, added.stderr
    assert "1 found, 1 new" in added.stderr
    again = extrophi.cli("add", str(tmp_path), "--json")
    assert json.loads(again.stdout)["items"][0]["documents"] == 1
    listed = extrophi.cli("sources").stdout.splitlines()
    assert listed[0].split("\t") == ["id", "platform", "target", "state", "documents", "next run", "why"]
    [[identity, *shown, due, why]] = [line.split("\t") for line in listed[1:]]
    assert shown == ["files", str(tmp_path), "unchanged", "1"]
    assert re.fullmatch(r"in 1\d min", due)
    assert not why
    rescheduled = extrophi.cli("sources", "--schedule", identity, "0 7 * * 1-5")
    assert "0 7 * * 1-5" in rescheduled.stdout, rescheduled.stderr
    assert "paused" in extrophi.cli("sources", "--pause", identity).stdout
    assert extrophi.cli("sources", "--state", "paused").stdout.splitlines()[1].split("\t")[5] == "never"
    assert json.loads(extrophi.cli("sources", "--resume", identity, "--json").stdout)["state"] == "unchanged"
    refused = extrophi.cli("sources", "--schedule", identity, "often")
    assert refused.returncode == 4
    assert "cron" in refused.stderr
    assert extrophi.cli("sources", "--pause", identity, "--remove", identity).returncode == 2
    assert identity not in extrophi.cli("sources", "--state", "gone").stdout
    assert str(tmp_path) in extrophi.cli("sources", identity).stdout
    assert json.loads(extrophi.cli("sources", "--remove", identity, "--json").stdout) == {"removed": identity}
    gone = extrophi.cli("sources", "--remove", identity)
    assert (gone.returncode, gone.stderr.endswith("`extrophi sources` lists them.\n")) == (4, True)
    assert json.loads(extrophi.cli("search", "numbat", "--json").stdout)["items"], "its documents stay"


def test_a_source_is_widened_and_narrowed(extrophi: Running, slow_site: str) -> None:
    [added] = json.loads(extrophi.cli("add", slow_site, "--later", "--schedule", "never", "--json").stdout)["items"]
    identity = added["id"]
    wide = extrophi.cli("sources", identity, "--scope", "site", "--depth", "3", "--limit", "1000")
    assert "  reaches: the site, 3 steps deep, 1000 documents at a time" in wide.stdout.splitlines(), wide.stderr
    deeper = json.loads(extrophi.cli("sources", identity, "--depth", "4", "--json").stdout)
    assert (deeper["scope"], deeper["depth"], deeper["limit"]) == ("site", 4, 1000)
    refused = extrophi.cli("sources", identity, "--scope", "page", "--depth", "4")
    assert (refused.returncode, "depth: " in refused.stderr) == (4, True)
    assert "reaches" not in extrophi.cli("sources", identity, "--scope", "page").stdout
    for wrong in (["--scope", "site"], [identity, "--scope", "site", "--pause", identity]):
        assert extrophi.cli("sources", *wrong).returncode == 2
    assert extrophi.cli("sources", "--remove", identity).returncode == 0


def is_signed_by(secret: str, message: Got) -> bool:
    signed = sign([secret], message.headers["webhook-id"], int(message.headers["webhook-timestamp"]), message.raw)
    return signed["webhook-signature"] in message.headers["webhook-signature"].split()


def test_a_webhook_is_added_tried_rotated_and_removed(extrophi: Running, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Quokkas\n\nThe quokka smiles.\n")
    [source] = json.loads(extrophi.cli("add", str(tmp_path), "--json").stdout)["items"]
    identity = source["id"]
    none = extrophi.cli("webhooks", "show", identity)
    assert (none.returncode, "`extrophi webhooks` lists" in none.stderr) == (4, True)
    with receiving() as receiver:
        added = extrophi.cli("webhooks", "add", identity, receiver.url("/hook"))
        assert added.returncode == 0, added.stderr
        where, told = added.stdout.splitlines()
        assert where == f"Events of {tmp_path} go to {receiver.url('/hook')}."
        secret = told.removeprefix("Secret: ")
        assert secret.startswith("whsec_")
        assert extrophi.cli("webhooks", "test", identity).stdout == "The receiver took it (204).\n"
        assert is_signed_by(secret, receiver.got[-1])

        (tmp_path / "new.md").write_text("# Bettongs\n\nThe bettong hops.\n")
        extrophi.cli("add", str(tmp_path))
        eventually(lambda: True if len(receiver.got) == 2 else None)
        (event,) = receiver.got[-1].body["data"]["events"]
        assert (event["kind"], event["title"], event["source_ids"]) == ("document.created", "Bettongs", [identity])

        def shown() -> str:
            return extrophi.cli("webhooks", "show", identity).stdout

        eventually(lambda: True if "delivered: last never" not in shown() else None)
        assert shown().splitlines()[:2] == [f"{tmp_path}: to {receiver.url('/hook')}", "  active"]
        head, row = extrophi.cli("webhooks").stdout.splitlines()
        assert head.split("\t") == ["source", "target", "address", "state", "waiting", "delivered", "why"]
        assert row.split("\t")[:5] == [identity, str(tmp_path), receiver.url("/hook"), "active", "0"]

        moved = json.loads(extrophi.cli("webhooks", "add", identity, receiver.url("/other"), "--json").stdout)
        assert (moved["url"], moved["secret"]) == (receiver.url("/other"), None)  # it is kept, and shown no more
        rotated = json.loads(extrophi.cli("webhooks", "rotate", identity, "--json").stdout)
        assert rotated["url"] == receiver.url("/other")
        (tmp_path / "secret").write_text(f"{secret}\n")
        for arguments, expected in (([], rotated["secret"]), (["--file", str(tmp_path / "secret")], secret)):
            if arguments:
                own = extrophi.cli("webhooks", "rotate", identity, *arguments)
                assert (own.returncode, secret in own.stdout + own.stderr) == (0, False), own.stderr
            assert extrophi.cli("webhooks", "test", identity).returncode == 0
            assert is_signed_by(expected, receiver.at("/other")[-1])
            assert is_signed_by(secret, receiver.at("/other")[-1])  # first as the one from before
        receiver.answers["/other"] = (503, {})
        refused = extrophi.cli("webhooks", "test", identity)
        assert (refused.returncode, "503" in refused.stdout) == (1, True)
    bad = extrophi.cli("webhooks", "add", identity, "ftp://example.org")
    assert (bad.returncode, "url: " in bad.stderr) == (4, True)
    for told in (extrophi.cli("webhooks", "--json"), extrophi.cli("webhooks", "show", identity, "--json")):
        assert (told.returncode, "whsec_" in told.stdout) == (0, False)
    assert extrophi.cli("webhooks", "remove", identity).returncode == 0
    assert json.loads(extrophi.cli("webhooks", "--json").stdout) == {"items": []}
    assert extrophi.cli("webhooks").stdout.startswith("No webhooks.")
    assert extrophi.cli("sources", "--remove", identity).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"], ["add", "x"], ["show"], ["rotate"], ["forget", "x"], ["show", "x", "https://example.org"],
        ["test", "x", "--file", "y"],
    ],
)  # fmt: skip
def test_a_webhooks_wrong_use_is_told(extrophi: Running, arguments: list[str]) -> None:
    assert extrophi.cli("webhooks", *arguments).returncode == 2


def test_a_feeds_address_is_for_a_reader_on_this_machine(extrophi: Running, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Dunnarts\n\nThe dunnart hunts.\n")
    [source] = json.loads(extrophi.cli("add", str(tmp_path), "--json").stdout)["items"]
    told = extrophi.cli("feed", "--source", source["id"], "--platform", "files", "--collection", "default")
    assert (told.returncode, told.stderr) == (0, "")
    found = httpx.get(told.stdout.strip(), trust_env=False).raise_for_status().text
    assert found.count("<entry>") == 1
    assert "Dunnarts" in found
    assert extrophi.cli("feed", "--tokens").stdout.startswith("No tokens.")
    wrong = extrophi.cli("feed", "--source", "01a21bb7-6191-7556-9410-c30841c950e9")
    assert (wrong.returncode, wrong.stderr.endswith("`extrophi sources` lists them.\n")) == (4, True)
    assert extrophi.cli("sources", "--remove", source["id"]).returncode == 0


def test_a_watched_folder_is_followed(extrophi: Running, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("add", str(tmp_path), "--watch"),
        env=extrophi.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "Watching" not in process.stderr.readline():
        assert process.poll() is None

    def states() -> dict[str, str]:
        items = extrophi.get("/api/documents?platform=files&limit=100")["items"]
        below = f"{tmp_path.as_uri()}/"
        return {
            item["external_id"].removeprefix(below): item["state"]
            for item in items
            if item["external_id"].startswith(below)
        }

    def become(expected: dict[str, str]) -> None:
        eventually(lambda: True if states() == expected else None)

    (tmp_path / "late.md").write_text("# Bilbies\n\nThe bilby digs.\n")
    become({"late.md": "collected"})
    (tmp_path / "late.md").rename(tmp_path / "moved.md")
    become({"late.md": "gone", "moved.md": "collected"})
    (tmp_path / "moved.md").unlink()
    become({"late.md": "gone", "moved.md": "gone"})
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_the_servers_of_others_are_used_and_none_of_ours_started(
    empty_database: str, valkey: Valkey, tmp_path: Path
) -> None:
    with up(DATABASE_URL=empty_database, REDIS_URL=valkey.url, EXTROPHI_FILES_ROOTS=str(tmp_path)) as running:
        started = json.loads((running.home / "up.json").read_text())["children"]
        assert [child["name"] for child in started] == ["research", "backend", "worker", "orchestrator"]
        assert list((running.home / "postgres").iterdir()) == []
        (tmp_path / "note.md").write_text("# Wombats\n\nThe wombat digs.\n")
        assert running.cli("collect", str(tmp_path)).returncode == 0
        assert running.cli("down").returncode == 0
        assert running.cli("search", "wombat", "--json").returncode == 0, "a second start finds all as it was"
        running.cli("down")


def test_an_embedding_model_is_built_and_switched_to(extrophi: Running) -> None:
    def models() -> dict[str, str]:
        return {
            item["model"]: item["state"] for item in json.loads(extrophi.cli("embeddings", "--json").stdout)["items"]
        }

    [first] = models()
    with serving() as endpoint:
        built = extrophi.cli("embeddings", "other", "--endpoint", endpoint.url)
        assert built.returncode == 0, built.stderr
        assert built.stdout.splitlines()[0].split("\t") == [
            "model", "endpoint", "state", "embedded", "pending", "failed",
        ]  # fmt: skip
        eventually(lambda: True if models() == {first: "retired", "other": "active"} else None)  # by itself, once whole
        back = extrophi.cli("embeddings", first, "--activate")
        assert back.returncode == 0, back.stderr
        assert models()[first] == "active"
    assert extrophi.cli("embeddings", "nobody", "--activate").returncode == 4


def test_a_line_that_is_refused_leaves_nothing_of_its_request(extrophi: Running, tmp_path: Path) -> None:
    lines = [{"platform": "files", "external_id": f"import-{number}", "text": "a word"} for number in range(3)]
    file = tmp_path / "lines.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in [*lines, lines[0] | {"blocks": [[0, 99, 0]]}]))
    ran = extrophi.cli("import", str(file))
    assert ran.returncode == 4
    assert "line 4: blocks: [0, 99]" in ran.stderr
    assert "0 of 4 documents are stored" in ran.stderr
    assert not [one for one in extrophi.external_ids("files") if one.startswith("import-")]


def test_vectors_in_chroma_and_back(tmp_path: Path) -> None:
    """A Chroma server beside the rest, which is killed once; then all moves to PostgreSQL."""
    (tmp_path / "ferry.md").write_text("The boat to Aldwick leaves at seven, and carries no cars.\n")
    (tmp_path / "bread.md").write_text("Sourdough rises slowly, and its crust is thick and dark.\n")
    with up(VECTOR_STORE="chroma", EXTROPHI_FILES_ROOTS=str(tmp_path)) as running:
        assert running.cli("collect", str(tmp_path)).returncode == 0

        def by_meaning() -> bool | None:
            body = {"query": "a ship timetable", "mode": "vector"}
            found = running.client.post("/api/search", json=body).json()
            words = [item["text"].split()[1] for item in found["items"]]
            return True if (words, found["degraded"]) == (["boat", "rises"], None) else None

        eventually(by_meaning)
        assert running.client.post("/api/vectors/query", json={}).status_code == 404
        children = json.loads((running.home / "up.json").read_text())["children"]
        os.kill(next(child["pid"] for child in children if child["name"] == "chroma"), signal.SIGKILL)
        eventually(by_meaning)
        moved = running.cli("vectors", "migrate", "--to", "pgvector")
        assert (moved.returncode, moved.stdout) == (0, "Vectors are searched in pgvector: 2 of them.\n"), moved.stderr
        eventually(by_meaning)
