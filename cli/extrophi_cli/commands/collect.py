from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.collecting import collect_all, worst
from extrophi_cli.errors import FAILED
from extrophi_cli.output import write_json
from extrophi_cli.progress import tell_failures
from extrophi_cli.running import connect
from extrophi_cli.targets import ask_for_each, prepare, upload


def collect(
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")],
    limit: options.Limit = None,
    scope: options.Scope = None,
    depth: options.Depth = None,
    collection: options.Collection = "default",
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Collect targets once, and wait for the end. Ctrl-C cancels the jobs. Exit code 5: some failed.

    Examples:
        extrophi collect https://some.site/post ~/notes/reading

        extrophi collect https://some.site/sitemap.xml --limit 500 --json

        extrophi collect https://some.site --scope site --depth 2
    """
    with connect(url, key) as extrophi:
        prepared = prepare(extrophi, targets)
        uploaded = upload(extrophi, prepared.files, collection=collection)
        body = {"collection": collection, **options.reach(scope, depth, limit)}
        jobs, refused = ask_for_each(
            prepared.remote, lambda target: extrophi.post("/api/jobs", {"target": target, **body})
        )
        tell_failures({"failures": refused})
        codes = [*uploaded.codes, *[FAILED] * len(refused)]
        codes += collect_all(extrophi, list(jobs.values()), quiet=as_json)
        if as_json:
            ended = [extrophi.get(f"/api/jobs/{job['id']}") for job in jobs.values()]
            write_json({"items": ended, "uploaded": uploaded.items, "failures": uploaded.failures + refused})
    raise typer.Exit(worst(codes))
