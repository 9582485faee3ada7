from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.errors import FAILED, CommandError, ids_listed_by
from extrophi_cli.output import note, say, table, when, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_LISTED = "`extrophi webhooks` lists those that there are, `extrophi sources` the sources."


class Action(StrEnum):
    ADD = "add"
    SHOW = "show"
    TEST = "test"
    ROTATE = "rotate"
    REMOVE = "remove"


_SETS = frozenset({Action.ADD, Action.ROTATE})


def webhooks(
    action: Annotated[
        Action | None,
        typer.Argument(
            metavar="[ACTION]",
            help="add: post a source's events to an address, or to another; show: how it goes; test: post a message "
            "that tells of nothing; rotate: sign with a new secret; remove: post no more.",
        ),
    ] = None,
    source: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of which source.")] = None,
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="Where to: https://…")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="Where a secret of your own stands (whsec_…). Else one is made."),
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the webhooks: where sources' events are posted to, and how that goes. Or add, show, test or remove one.

    Each source may have one. What appears, changes or vanishes there is posted to its address, in order, and again for
    a day until it is taken. Messages are signed as Standard Webhooks has it (docs/api.md). The secret for that is made
    there and shown once; `rotate` makes another, and for a day messages are signed with both, so that the receiver can
    change when it likes. An address in a network of one's own has to be opened by EXTROPHI_FETCH_ALLOW. Exit code 1
    where a test is not taken.

    Examples:
        extrophi webhooks

        extrophi webhooks add 0198c2f0-… https://example.org/extrophi

        extrophi webhooks test 0198c2f0-…

        extrophi webhooks show 0198c2f0-…

        extrophi webhooks rotate 0198c2f0-…
    """
    _check_use(action, source, address, file)
    with connect(url, key) as extrophi:
        if action is None or source is None:
            _list(list(extrophi.pages("/api/webhooks")), as_json=as_json)
            return
        with ids_listed_by(_LISTED):
            _act(extrophi, action, source, address, file, as_json=as_json)


def _check_use(action: Action | None, source: str | None, address: str | None, file: Path | None) -> None:
    """Raises BadParameter."""
    if action is Action.ADD and (source is None or address is None):
        raise typer.BadParameter("say whose events go where: extrophi webhooks add ID https://example.org/extrophi")
    if action is not None and source is None:
        raise typer.BadParameter(f"say of which source: extrophi webhooks {action.value} ID")
    if action is not Action.ADD and address is not None:
        raise typer.BadParameter("an address is for `add`")
    if action not in _SETS and file is not None:
        raise typer.BadParameter("a secret is for `add` and `rotate`", param_hint="--file")


def _act(
    extrophi: "Extrophi", action: Action, source: str, address: str | None, file: Path | None, *, as_json: bool
) -> None:
    path = f"/api/sources/{options.in_path(source)}/webhook"
    match action:
        case Action.ADD:
            given = {"secret": _read(file)} if file else {}
            _tell_set(extrophi.request("PUT", path, json={"url": address, **given}), as_json=as_json)
        case Action.ROTATE:
            given = {"secret": _read(file)} if file else {}
            _tell_rotated(extrophi.request("POST", f"{path}/rotate", json=given), as_json=as_json)
        case Action.SHOW:
            _show(extrophi.get(path), as_json=as_json)
        case Action.TEST:
            _test(extrophi.post(f"{path}/test"), as_json=as_json)
        case Action.REMOVE:
            extrophi.delete(path)
            if as_json:
                write_json({"removed": source})
            else:
                say("Removed. Its events are posted no more.")


def _read(file: Path) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise CommandError(f"{file} is no text.", hint="A secret is `whsec_` and base64.") from None


def _tell_set(webhook: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(webhook)
        return
    say(f"Events of {webhook.get('target')} go to {webhook.get('url')}.")
    _tell_secret(webhook)
    note(f"`extrophi webhooks test {webhook.get('source_id')}` posts a message that tells of nothing.")


def _tell_rotated(webhook: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(webhook)
        return
    say("For a day, messages are signed with both secrets; then with the new one alone.")
    _tell_secret(webhook)
    if webhook.get("state") != "active":
        note(f"It is {webhook.get('state')} as before: `extrophi webhooks show {webhook.get('source_id')}` says why.")


def _tell_secret(webhook: JSON) -> None:
    if webhook.get("secret"):
        say(f"Secret: {webhook['secret']}")
        note("The receiver checks messages by it. It is not shown again.")


def _test(tried: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(tried)
    elif tried.get("delivered"):
        say(f"The receiver took it ({tried.get('status')}).")
    else:
        say(f"It was not taken{_why(tried)}")
    if not tried.get("delivered"):
        raise typer.Exit(FAILED)


def _show(webhook: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(webhook)
        return
    say(f"{webhook.get('target')}: to {webhook.get('url')}")
    say(f"  {webhook.get('state')}{_why(webhook)}")
    if webhook.get("state") == "failed":
        say(f"  Once `extrophi webhooks test {webhook.get('source_id')}` is taken, what waits goes out.")
    elif webhook.get("state") == "disabled":
        say("  The receiver wants no more (410). `extrophi webhooks add` sets it anew.")
    following = f", next attempt {when(webhook['next_attempt_at'])}" if webhook.get("next_attempt_at") else ""
    say(f"  delivered: last {when(webhook.get('delivered_at'))}; events that wait: {webhook.get('waiting')}{following}")


def _list(found: list[JSON], *, as_json: bool) -> None:
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No webhooks. `extrophi webhooks add ID ADDRESS` posts the events of a source to an address.")
    else:
        rows = [
            (
                *(one.get(name) for name in ("source_id", "target", "url", "state", "waiting")),
                when(one.get("delivered_at")),
                _why(one)[2:],
            )
            for one in found
        ]
        table(["source", "target", "address", "state", "waiting", "delivered", "why"], rows)


def _why(told: JSON) -> str:
    error = told.get("error") or {}
    return f": {error['detail']}" if error.get("detail") else ""
