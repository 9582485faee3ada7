"""The command `extrophi collect`."""

from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.collecting import collect_all, worst
from extrophi_cli.output import write_json
from extrophi_cli.running import connect
from extrophi_cli.targets import prepare, upload


def collect(
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")],
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=100_000, help="At most so many documents of each.")
    ] = None,
    collection: options.Collection = "default",
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Collect targets once, and wait for the end. Ctrl-C cancels the jobs. Exit code 5: some documents failed.

    Examples:
        extrophi collect https://some.site/post ~/notes/reading

        extrophi collect https://some.site/sitemap.xml --limit 500 --json
    """
    with connect(url, key) as extrophi:
        prepared = prepare(extrophi, targets)
        uploaded = upload(extrophi, prepared.files, collection=collection)
        body = {"collection": collection} | ({"limit": limit} if limit else {})
        jobs = [extrophi.post("/api/jobs", {"target": target, **body}) for target in prepared.remote]
        code = worst(uploaded.code, collect_all(extrophi, jobs, quiet=as_json))
        if as_json:
            ended = [extrophi.get(f"/api/jobs/{job['id']}") for job in jobs]
            write_json({"items": ended, "uploaded": uploaded.items, "failures": uploaded.failures})
    raise typer.Exit(code)
