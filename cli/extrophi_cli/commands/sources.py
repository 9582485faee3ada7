from enum import StrEnum
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.client import Extrophi
from extrophi_cli.errors import CommandError, ids_listed_by
from extrophi_cli.output import say, table, when, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON

ID = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="Only this source, in full; or the one to change.", show_default=False),
]
_LISTED = "`extrophi sources` lists them."


class State(StrEnum):
    """What a source's last look came to."""

    NEW = "new"
    COLLECTED = "collected"
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"
    LOGIN_NEEDED = "login_needed"
    RATE_LIMITED = "rate_limited"
    NO_CAPTIONS = "no_captions"
    NOT_YET = "not_yet"
    REMOVED = "removed"
    GONE = "gone"
    FAILED = "failed"
    PAUSED = "paused"


def sources(
    source: ID = None,
    state: Annotated[
        list[State] | None, typer.Option("--state", help="Only those in this state. May be repeated.")
    ] = None,
    pause: Annotated[
        str | None, typer.Option("--pause", metavar="ID", help="Collect this one no more for now.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Collect it again: one that was paused, or is gone.")
    ] = None,
    schedule: Annotated[
        tuple[str, str] | None,
        typer.Option("--schedule", metavar="ID WHEN", help="When to look: auto, never, 6h, or five fields of cron."),
    ] = None,
    scope: Annotated[
        options.Reach | None,
        typer.Option("--scope", help="Let the source ID reach to the page, or to the whole site behind it."),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", min=0, max=20, help="Let it go so many steps into the site (5)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=100_000, help="At most so many documents of it at a time (100).")
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ID", help="Collect this source no more; its documents stay.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the sources: how each is, why, and when it is looked at next. Or change one.

    One that is to reach further than before (a site in place of a page, or deeper) is looked at as a whole next, at
    once unless it is paused or `never`. One that is to reach less far keeps its documents. An open job goes on as it
    was begun.

    Examples:
        extrophi sources

        extrophi sources --state blocked --state failed

        extrophi sources --schedule 0198c2f0-… "0 7 * * 1-5"

        extrophi sources --pause 0198c2f0-…

        extrophi sources 0198c2f0-… --scope site --depth 3 --limit 1000
    """
    changes: list[tuple[str, JSON]] = []
    if pause:
        changes.append((pause, {"state": "paused"}))
    if resume:
        changes.append((resume, {"state": "active"}))
    if schedule:
        changes.append((schedule[0], {"schedule": schedule[1], "time_zone": options.time_zone()}))
    if reach := options.reach(scope, depth, limit):
        changes.append((_named(source), reach))
    if len(changes) + bool(remove) > 1:
        raise CommandError("Only one change at a time.", hint="Give one of the options that name a source.", code=2)
    with connect(url, key) as extrophi:
        if remove:
            _remove(extrophi, remove, as_json=as_json)
        elif changes:
            ((changed, body),) = changes
            _show(_asked(extrophi, changed, body), as_json=as_json)
        elif source:
            found = _asked(extrophi, source)
            missed = list(extrophi.pages(f"/api/sources/{source}/misses"))
            _show(found | {"misses": missed} if as_json else found, as_json=as_json)
            if not as_json:
                _tell_missed(missed)
        else:
            _list(list(extrophi.pages("/api/sources", state=[one.value for one in state or ()])), as_json=as_json)


def _named(source: str | None) -> str:
    if source is None:
        raise CommandError("Of which source?", hint="Give its ID before --scope, --depth or --limit.", code=2)
    return source


def _asked(extrophi: Extrophi, source: str, body: JSON | None = None) -> JSON:
    path = f"/api/sources/{source}"
    with ids_listed_by(_LISTED):
        return extrophi.get(path) if body is None else extrophi.request("PATCH", path, json=body)


def _remove(extrophi: Extrophi, source: str, *, as_json: bool) -> None:
    with ids_listed_by(_LISTED):
        extrophi.delete(f"/api/sources/{source}")
    if as_json:
        write_json({"removed": source})
    else:
        say("Removed. Its documents stay.")


def _show(source: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(source)
        return
    say(f"{source.get('target')} ({source.get('platform')}, {source.get('documents')} documents)")
    say(f"  {source.get('state')}{_why(source)}")
    if hint := (source.get("reason") or {}).get("hint"):
        say(f"  {hint}")
    zone = "" if source.get("time_zone") == "UTC" else f" ({source.get('time_zone')})"
    if source.get("scope") == "site":
        say(f"  reaches: the site, {source.get('depth')} steps deep, {source.get('limit')} documents at a time")
    say(f"  looks: {source.get('schedule')}{zone}; last {when(source.get('looked_at'))}, next {_next(source)}")


def _tell_missed(missed: list[JSON]) -> None:
    if missed:
        rows = [(one["target"], one["state"], when(one["next_try_at"]), _why(one)[2:]) for one in missed]
        table(["could not be had", "state", "next try", "why"], rows)


def _list(found: list[JSON], *, as_json: bool) -> None:
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No sources. `extrophi add TARGET` adds one.")
    else:
        columns = ["id", "platform", "target", "state", "documents", "next run", "why"]
        table(columns, [[*(one.get(name) for name in columns[:-2]), _next(one), _why(one)[2:]] for one in found])


def _why(source: JSON) -> str:
    reason = source.get("reason") or {}
    return f": {reason['detail']}" if reason.get("detail") else ""


def _next(source: JSON) -> str:
    if (source.get("last_job") or {}).get("status") == "running":
        return "now"
    moment = source.get("next_run_at")
    return when(moment) if moment else "never"
