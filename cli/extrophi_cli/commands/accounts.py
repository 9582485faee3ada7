import secrets
import sys
from enum import StrEnum
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.accounts import day
from extrophi_cli.embedded.home import Home, key_id
from extrophi_cli.errors import FAILED, PARTIAL, CommandError
from extrophi_cli.output import say, table, write_json
from extrophi_cli.running import connect
from extrophi_cli.settings import read_settings
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_IN_ORDER = frozenset({"set", "ok"})


class Action(StrEnum):
    SET = "set"
    REMOVE = "remove"
    TEST = "test"
    ROTATE = "rotate"


def accounts(
    action: Annotated[
        Action | None,
        typer.Argument(
            metavar="[ACTION]",
            help="set: store one; remove: forget; test: ask the platform; rotate: seal all under a new key.",
        ),
    ] = None,
    platform: Annotated[options.Platform | None, typer.Argument(help="Of which platform.")] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Which credential: bearer_token, cookies, …")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="Where the value stands: cookies.txt, say. Else it is asked for."),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Of the web's cookies: remove this host's only.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show what each platform has to collect with, and how to get what is missing; set, test or remove it.

    A value is never given on the command line, where others can see it: it is asked for without being shown, or read
    from a file or a pipe. It is stored encrypted, and never shown again. What the environment gives (X_BEARER_TOKEN, …)
    goes before what is stored. Exit code 1 where the platform refuses all that is tested, 5 where it refuses some.

    Examples:
        extrophi accounts

        extrophi accounts set twitter bearer_token

        extrophi accounts set youtube cookies --file cookies.txt

        extrophi accounts test

        extrophi accounts remove web cookies --host www.some.site

        extrophi accounts rotate
    """
    _check_use(action, platform, name, file, host)
    with connect(url, key) as extrophi:
        if action is Action.SET:
            _set(extrophi, str(platform), str(name), file, as_json=as_json)
        elif action is Action.REMOVE:
            _remove(extrophi, str(platform), name, host, as_json=as_json)
        elif action is Action.TEST:
            _test(extrophi, platform, as_json=as_json)
        elif action is Action.ROTATE:
            _rotate(extrophi, as_json=as_json)
        else:
            _show(extrophi.get("/api/accounts"), as_json=as_json)


def _check_use(
    action: Action | None, platform: options.Platform | None, name: str | None, file: Path | None, host: str | None
) -> None:
    """Raises BadParameter."""
    if action is Action.SET and (platform is None or name is None):
        raise typer.BadParameter("say what to set: extrophi accounts set twitter bearer_token")
    if action is Action.REMOVE and platform is None:
        raise typer.BadParameter("say whose to remove: extrophi accounts remove twitter")
    if action is Action.ROTATE and platform is not None:
        raise typer.BadParameter("all are sealed anew at once: extrophi accounts rotate")
    if action is not Action.SET and file is not None:
        raise typer.BadParameter("a file is for `set`", param_hint="--file")
    if action is not Action.REMOVE and host is not None:
        raise typer.BadParameter("a host is for `remove`", param_hint="--host")


def _set(extrophi: "Extrophi", platform: str, name: str, file: Path | None, *, as_json: bool) -> None:
    name = _meant(extrophi, platform, name)
    value = _read(platform, name, file)
    account = extrophi.request("PUT", f"/api/accounts/{platform}", json={"values": {name: value}})
    if as_json:
        write_json(account)
        return
    say(f"Stored. {account.get('title')}: {account.get('state')}.")
    if account.get("hint"):
        say(account["hint"])


def _meant(extrophi: "Extrophi", platform: str, name: str) -> str:
    """The credential's name; its environment variable is one, too."""
    for account in extrophi.get("/api/accounts").get("items", []):
        for one in account.get("credentials", []):
            if account.get("platform") == platform and one.get("setting") == name.upper():
                return str(one.get("name"))
    return name


def _read(platform: str, name: str, file: Path | None) -> str:
    if file is not None:
        try:
            return file.expanduser().read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise CommandError(f"{file} is no text.", hint="Export cookies as cookies.txt or JSON.") from None
    if not sys.stdin.isatty():
        return sys.stdin.read()
    if name == "cookies":
        raise typer.BadParameter(
            f"cookies are a file: extrophi accounts set {platform} cookies --file cookies.txt", param_hint="--file"
        )
    try:
        # Not typer's own, which shows the question before it hides what is typed.
        return getpass(f"{platform} {name} (not shown): ")
    except EOFError:
        raise CommandError("Nothing was given.", hint="Run it again.") from None


def _remove(extrophi: "Extrophi", platform: str, name: str | None, host: str | None, *, as_json: bool) -> None:
    name = _meant(extrophi, platform, name) if name else None
    chosen = {"name": name, "host": host}
    extrophi.request("DELETE", f"/api/accounts/{platform}", params={k: v for k, v in chosen.items() if v})
    if as_json:
        write_json({"removed": platform, **chosen})
    else:
        say("Removed.")


def _test(extrophi: "Extrophi", platform: options.Platform | None, *, as_json: bool) -> None:
    found = extrophi.get("/api/accounts").get("items", [])
    wanted = [one for one in found if one.get("platform") == platform or (platform is None and _has(one))]
    told = [extrophi.post(f"/api/accounts/{one['platform']}/test") for one in wanted]
    tests = [(one["account"], test) for one in told for test in one.get("tests", [])]
    if as_json:
        write_json({"items": told})
    elif not tests:
        say("There is nothing to test yet. `extrophi accounts` tells how to get credentials.")
    for account, test in () if as_json else tests:
        say(f"{account.get('title')} {', '.join(test.get('names', []))}: {test.get('state')}. {test.get('detail')}")
    refused = [test for _, test in tests if test.get("state") == "refused"]
    if refused:
        raise typer.Exit(FAILED if len(refused) == len(tests) else PARTIAL)


def _rotate(extrophi: "Extrophi", *, as_json: bool) -> None:
    home = Home(read_settings().home)
    if extrophi.is_local and extrophi.get("/api/accounts").get("key") == key_id(home.secret_keys()[0]):
        done = _rotate_here(extrophi, home)
        after = "The new key is in use, and the old one is gone."
    else:
        done = extrophi.post("/api/accounts/rotate")
        after = (
            "They are under the first key of EXTROPHI_SECRET_KEY: put a new one before it and start anew to rotate; "
            "once this is done, those after it may be taken away."
        )
    if as_json:
        write_json(done)
        return
    say(f"{done.get('resealed')} secrets are sealed anew, {done.get('kept')} were already. {after}")
    if done.get("unreadable"):
        say(f"{done['unreadable']} are opened by no key: `extrophi accounts` tells which to set anew.")


def _rotate_here(extrophi: "Extrophi", home: Home) -> JSON:
    """Rotate to a key made now. Killed at any moment, it leaves a ring that opens everything."""
    with home.changing_keys():
        keys = home.secret_keys()
        new = secrets.token_urlsafe(32)
        home.save_secret_keys([new, *keys])
        done = extrophi.post("/api/accounts/rotate")
        if done.get("key") != key_id(new):
            raise CommandError(
                "What runs does not take its keys from the home, so the old ones are kept.",
                hint="Run `extrophi down`, and this again.",
            )
        home.save_secret_keys([new])
    return done


def _show(found: JSON, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    items = found.get("items", [])
    columns = ["platform", "has", "state", "expires", "next step"]
    table(columns, [[one.get("platform"), _had(one), _word(one), day(one), one.get("hint")] for one in items])
    for one in items:
        if one.get("state") not in _IN_ORDER and one.get("credentials"):
            say()
            say(f"{one.get('title')}: {one.get('how')}")


def _has(account: JSON) -> bool:
    return any(one.get("source") for one in account.get("credentials", []))


def _had(account: JSON) -> str:
    return ", ".join(
        f"{one.get('name')}{' of ' + str(one['host']) if one.get('host') else ''}"
        f"{' (from the environment)' if one.get('source') == 'environment' else ''}"
        for one in account.get("credentials", [])
        if one.get("source")
    )


def _word(account: JSON) -> str:
    return str(account.get("state", "")).replace("_", " ")
