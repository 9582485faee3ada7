from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.collecting import collect_all, worst
from extrophi_cli.errors import FAILED, CommandError
from extrophi_cli.output import note, say, write_json
from extrophi_cli.progress import tell_failures
from extrophi_cli.running import connect
from extrophi_cli.targets import ask_for_each, is_path, prepare, to_path, upload
from extrophi_cli.wire import JSON


def add(
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")],
    collection: options.Collection = "default",
    scope: options.Scope = None,
    depth: options.Depth = None,
    limit: options.Limit = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the folders as they change, until Ctrl-C.")] = False,
    now: Annotated[
        bool, typer.Option("--now/--later", help="Collect them now and wait for the end, or only keep them.")
    ] = True,
    schedule: options.Schedule = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Keep targets as sources, and collect them now. Adding one again collects it again. Exit code 5: some failed.

    The front of a site stands for all of it, unless the scope says otherwise.

    Examples:
        extrophi add https://some.site/feed.xml

        extrophi add https://some.site --limit 5000

        extrophi add https://some.site/handbook/ --scope site --depth 3

        extrophi add ~/notes --watch

        extrophi add https://some.site/ --schedule "0 7 * * 1-5"

        extrophi add @handle r/selfhosted --collection people --later
    """
    with connect(url, key) as extrophi:
        prepared = prepare(extrophi, targets)
        if watch and not all(is_path(target) for target in targets):
            raise CommandError("Only folders can be watched.", hint="Leave --watch out, or name folders only.", code=2)
        uploaded = upload(extrophi, prepared.files, collection=collection)
        # With `now`, the job below is the first: one made here could have ended before we see it.
        body: JSON = {"collection": collection, "collect": not now, **options.reach(scope, depth, limit)}
        if schedule:
            body |= {"schedule": schedule, "time_zone": options.time_zone()}
        sources, failures = ask_for_each(
            prepared.remote, lambda target: extrophi.post("/api/sources", {"target": target, **body})
        )
        if not as_json:
            for source in sources.values():
                say(f"{source.get('platform')}: {source.get('target')} ({source.get('id')})")
        jobs: dict[str, JSON] = {}
        if now and sources:
            jobs, not_now = ask_for_each(
                sources, lambda target: extrophi.post(f"/api/sources/{sources[target]['id']}/jobs")
            )
            failures += not_now
        tell_failures({"failures": failures})
        codes = [*uploaded.codes, *[FAILED] * len(failures)]
        codes += collect_all(extrophi, list(jobs.values()), quiet=as_json) if now else [0] * len(sources)
        if as_json:
            ended = [extrophi.get(f"/api/sources/{source['id']}") for source in sources.values()]
            write_json({"items": ended, "uploaded": uploaded.items, "failures": uploaded.failures + failures})
        if watch:
            from extrophi_cli.watching import follow  # noqa: PLC0415  watchfiles is for this option only

            note("Watching for changes; Ctrl-C ends it.")
            folders = [to_path(target) for target in targets]
            kept = [folder for folder in folders if not extrophi.is_local or str(folder) in sources]
            follow(extrophi, kept, sources, collection=collection)
    raise typer.Exit(worst(codes))
