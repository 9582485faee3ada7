"""The command `extrophi add`."""

from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.collecting import collect_all, worst
from extrophi_cli.errors import CommandError
from extrophi_cli.output import note, say, write_json
from extrophi_cli.running import connect
from extrophi_cli.targets import absolute, is_path, prepare, upload


def add(
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")],
    collection: options.Collection = "default",
    watch: Annotated[bool, typer.Option("--watch", help="Follow the folders as they change, until Ctrl-C.")] = False,
    now: Annotated[
        bool, typer.Option("--now/--later", help="Wait until they are collected, or leave that to Extrophi.")
    ] = True,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Add sources: targets that are collected now and again and again.

    Examples:
        extrophi add https://some.site/feed.xml

        extrophi add ~/notes --watch

        extrophi add @handle r/selfhosted --collection people --later
    """
    with connect(url, key) as extrophi:
        prepared = prepare(extrophi, targets)
        if watch and not all(is_path(target) for target in targets):
            raise CommandError("Only folders can be watched.", hint="Leave --watch out: sources are revisited.", code=2)
        uploaded = upload(extrophi, prepared.files, collection=collection)
        sources = [
            # With `now`, the job below is the first: one made here could have ended before we see it.
            extrophi.post("/api/sources", {"target": target, "collection": collection, "collect": not now})
            for target in prepared.remote
        ]
        if not as_json:
            for source in sources:
                say(f"{source.get('platform')}: {source.get('target')} ({source.get('id')})")
        jobs = [extrophi.post(f"/api/sources/{source['id']}/jobs") for source in sources] if now else []
        code = worst(uploaded.code, collect_all(extrophi, jobs, quiet=as_json))
        if as_json:
            ended = [extrophi.get(f"/api/sources/{source['id']}") for source in sources]
            write_json({"items": ended, "uploaded": uploaded.items, "failures": uploaded.failures})
        if watch:
            from extrophi_cli.watching import follow  # noqa: PLC0415  watchfiles is for this option only

            note("Watching for changes; Ctrl-C ends it.")
            follow(extrophi, [absolute(target) for target in targets], sources, collection=collection)
    raise typer.Exit(code)
