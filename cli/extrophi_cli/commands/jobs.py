from itertools import islice
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.errors import Refused
from extrophi_cli.output import say, table, write_json
from extrophi_cli.progress import describe, name_of, tell_failures
from extrophi_cli.running import connect


def jobs(
    job_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One job, with its failures.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel that job.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")] = 20,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List jobs, newest first; or show one, or cancel it.

    Examples:
        extrophi jobs

        extrophi jobs 0198c2f0-… --cancel
    """
    if cancel and job_id is None:
        raise typer.BadParameter("--cancel needs the ID of a job.")
    with connect(url, key) as extrophi:
        if job_id is not None:
            try:
                if cancel:
                    extrophi.post(f"/api/jobs/{job_id}/cancel")
                job = extrophi.get(f"/api/jobs/{job_id}")
            except Refused as refused:
                raise refused.with_hint("`extrophi jobs` lists them.") from None
            if as_json:
                write_json(job)
            else:
                say(f"{name_of(job)}: {describe(job)}")
                tell_failures(job, most=1000)
            return
        found = list(islice(extrophi.pages("/api/jobs", limit=min(limit, 100)), limit))
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No jobs yet. `extrophi collect TARGET` makes one.")
    else:
        table(["id", "target", "state"], [(job.get("id"), name_of(job), describe(job)) for job in found])
