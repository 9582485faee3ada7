"""What of a data archive is sent: the parts that are read, and nothing that lies elsewhere."""

import json
import zipfile
from pathlib import Path

import pytest

from extrophi_cli.archives import is_archive, packed, tell_contents
from extrophi_cli.errors import CommandError
from extrophi_cli.progress import JobBoard

LIST = "Takeout/YouTube and YouTube Music/playlists/Herons-videos.csv"
ROWS = "Video ID,Added\nGJLlxj_dtq8,2024\n"


def sent(path: Path) -> dict[str, str]:
    with packed(path) as file, zipfile.ZipFile(file) as zipped:
        return {name: zipped.read(name).decode() for name in zipped.namelist()}


def test_films_and_pictures_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "takeout.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr(LIST, ROWS)
        zipped.writestr("Takeout/YouTube and YouTube Music/videos/holiday.mp4", b"\0" * 1000)
        zipped.writestr("Takeout/Mail/all.mbox", "Dear Ida")
    assert is_archive(path)
    assert sent(path) == {LIST: "GJLlxj_dtq8\n"}


def test_a_folder_is_read_to_its_edge(tmp_path: Path) -> None:
    folder, outside = tmp_path / "unpacked", tmp_path / "outside"
    (folder / LIST).parent.mkdir(parents=True)
    (folder / LIST).write_text(ROWS)
    outside.mkdir()
    (outside / "secret.csv").write_text("id\naaaaaaaaaaa\n")
    (folder / LIST).with_name("Linked-videos.csv").symlink_to(outside / "secret.csv")
    (folder / LIST).with_name("linked").symlink_to(outside)
    assert is_archive(folder)
    assert sent(folder) == {LIST: "GJLlxj_dtq8\n"}


@pytest.mark.parametrize("members", [[], ["notes/a.md"]])
def test_an_archive_of_something_else_is_told(tmp_path: Path, members: list[str]) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name in members:
            zipped.writestr(name, "x")
    with pytest.raises(CommandError, match="holds no posts") as refused, packed(path):
        pass
    assert "docs/archives.md" in str(refused.value.hint)


def test_an_archive_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "takeout.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(LIST, "".join(f"{number:011},x\n" for number in range(5000)))
    whole = path.read_bytes()
    path.write_bytes(whole[:30] + whole[2000:])  # its end is there, and a part of what it lists is not
    with pytest.raises(CommandError, match="Cannot read"), packed(path):
        pass


def test_lines_of_json_are_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    assert not is_archive(tmp_path / "a.jsonl")
    assert not is_archive(tmp_path / "missing")


def test_a_person_reads_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [
        {"name": "posts", "count": 1234, "known": 34, "becomes": "a document each"},
        {"name": "messages", "count": 5, "known": 0, "becomes": ""},
    ]
    tell_contents({"title": "X's archive of @ida", "parts": parts})
    assert capsys.readouterr().out.splitlines() == [
        "X's archive of @ida",
        "  posts     1,234  a document each; known already: 34",
        "  messages      5  left out",
    ]


def test_its_job_is_called_by_the_name_of_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    JobBoard().show({"id": "1", "target": "archive:0198", "typed": "takeout.zip", "status": "queued"})
    JobBoard().show({"id": "2", "target": "https://x.com/ida", "typed": "@ida", "status": "queued"})
    told = [line.partition(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == ["takeout.zip", "https://x.com/ida"]


def test_what_is_nobodys_business_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    watched = [{"title": "Watched SECRET", "titleUrl": "https://www.youtube.com/watch?v\\u003dGJLlxj_dtq8"}]
    account = {"accountId": "11", "username": "ada", "accountDisplayName": "Ada", "email": "SECRET@a.example"}
    members = {
        "Takeout/YouTube/history/watch-history.json": json.dumps(watched).replace("\\\\", "\\"),
        "Takeout/YouTube/live chats/live chats.csv": "Live Chat ID,Channel ID,Text\nx,y,SECRET\n",
        "x/data/account.js": f"window.YTD.account.part0 = {json.dumps([{'account': account}])}",
        "x/data/tweets.js": 'window.YTD.tweets.part0 = [{"tweet": {"id_str": "1", "full_text": "Hello"}}]',
        "x/data/direct-messages.js": 'window.YTD.dm.part0 = ["SECRET"]',
        "reddit/posts.csv": "id,permalink,date,ip,title\na,/r/x/comments/a/,2024,SECRET,Hello\n",
        "reddit/statistics.csv": "statistic,value\naccount name,ada\nemail address,SECRET\n",
        "reddit/messages.csv": "id,body\n1,SECRET\n",
    }
    with zipfile.ZipFile(path, "w") as zipped:
        for name, body in members.items():
            zipped.writestr(name, body)
    found = sent(path)
    assert "SECRET" not in str(found)
    assert found["Takeout/YouTube/history/watch-history.json"] == "https://www.youtube.com/watch?v=GJLlxj_dtq8\n"
    assert json.loads(found["x/data/account.js"])[0]["account"]["username"] == "ada"
    assert json.loads(found["x/data/tweets.js"]) == [{"tweet": {"id_str": "1", "full_text": "Hello"}}]
    assert "Hello" in found["reddit/posts.csv"]
    assert "ada" in found["reddit/statistics.csv"]
    assert len(found) == 5
