from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.errors import Refused
from extrophi_cli.output import say, table, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON


def sources(
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ID", help="Collect this source no more; its documents stay.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the targets that are kept as sources, or remove one.

    Examples:
        extrophi sources

        extrophi sources --remove 0198c2f0-…
    """
    with connect(url, key) as extrophi:
        if remove:
            try:
                extrophi.delete(f"/api/sources/{remove}")
            except Refused as refused:
                raise refused.with_hint("`extrophi sources` lists them.") from None
            if as_json:
                write_json({"removed": remove})
            else:
                say("Removed. Its documents stay.")
            return
        found = list(extrophi.pages("/api/sources"))
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No sources yet. `extrophi add TARGET` adds one.")
    else:
        columns = ["id", "platform", "target", "state", "documents", "last job"]
        rows = [[*(source.get(name) for name in columns[:-1]), _last(source)] for source in found]
        table(columns, rows)


def _last(source: JSON) -> str:
    job = source.get("last_job") or {}
    error = job.get("error") or {}
    failed = f", {job['failed']} failed" if job.get("failed") else ""
    return f"{job.get('status', 'none yet')}{failed}{': ' + str(error['detail']) if error.get('detail') else ''}"
