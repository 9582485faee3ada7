from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from extrophi_backend.accounts.asking import Asking
from extrophi_backend.accounts.known import ACCOUNTS
from extrophi_backend.accounts.models import Account, Condition, Held, Kind, Outcome, Source, State
from extrophi_backend.accounts.service import earliest_expiry, state_of
from extrophi_backend.collectors.models import Platform
from extrophi_backend.errors import InvalidInput, Unavailable
from extrophi_backend.http.fields import Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/accounts", tags=["accounts"])

PlatformPath = Annotated[Platform, Path(description="Whose credentials.")]
_MOST_CHARACTERS = 500_000
_NAMES = "GET /accounts lists the names that each platform has."


class CredentialOut(BaseModel):
    """A credential that a platform may have, and whether it has; never its value. Of the web: one per `host`."""

    name: str
    title: str
    setting: str = Field(description="The environment variable that gives it, too, and goes before what is stored.")
    opens: str
    host: str | None
    source: Source | None = Field(description="Null: it is not set.")
    state: Condition | Literal["not_set"]
    expires_at: datetime | None
    set_at: datetime | None
    tested_at: datetime | None
    detail: str = Field(description="What came of the last test.")


class AccountOut(BaseModel):
    """A platform's credentials. `state` is that of the worst; `hint` the next step; `how` tells how to get them."""

    platform: Platform
    title: str
    state: State
    expires_at: datetime | None
    tested_at: datetime | None
    credentials: list[CredentialOut]
    hint: str
    how: str


class AccountsOut(BaseModel):
    """`key`: which key seals what is stored (an id, made of its digest); null where there is none."""

    items: list[AccountOut]
    key: str | None


class NewCredentials(BaseModel):
    """Credentials by name. Cookies are a whole export: cookies.txt (Netscape), or JSON of a browser extension."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"values": {"client_id": "the-id-of-your-app"}}]})
    # Checked by hand: a validator's error would name a wrong key, which may be a value in the wrong place.
    values: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": {"type": "string", "maxLength": _MOST_CHARACTERS},
                "minProperties": 1,
                "maxProperties": 10,
            }
        ),
    ]


class TestOut(BaseModel):
    """What came of asking the platform. `unknown`: it could not be asked, or did not tell."""

    names: list[str]
    state: Literal["ok", "refused", "unknown"]
    detail: str


class TestedOut(BaseModel):
    account: AccountOut
    tests: list[TestOut]


class RotationOut(BaseModel):
    """How many secrets were sealed anew, were under the first key already, and are opened by no key of those there are.

    `key`: which key they are under now.
    """

    resealed: int
    kept: int
    unreadable: int
    key: str


@router.get("", summary="Which credentials each platform has, how they are, and how to get more", responses=responses())
async def index(app: App) -> AccountsOut:
    held = await app.accounts.held()
    return AccountsOut(items=[_out(ACCOUNTS[one], held[one]) for one in ACCOUNTS], key=_key(app))


@router.put("/{platform}", summary="Store credentials, sealed; values never come back", responses=responses(409))
async def store(app: App, platform: PlatformPath, body: NewCredentials) -> AccountOut:
    """What is not named stays as it is. One that the environment gives cannot be stored (409)."""
    await app.accounts.store(platform, _given(body.values))
    return await _account(app, platform)


@router.delete("/{platform}", status_code=204, summary="Forget what is stored", responses=responses(409))
async def remove(
    app: App,
    platform: PlatformPath,
    name: Annotated[Text | None, Query(max_length=50, description="Only this credential.")] = None,
    host: Annotated[Text | None, Query(max_length=253, description="Only cookies of this host.")] = None,
) -> Response:
    await app.accounts.remove(platform, name, host)
    return Response(status_code=204)


@router.post("/{platform}/test", summary="Ask the platform whether it takes what it has", responses=responses())
async def test(app: App, platform: PlatformPath) -> TestedOut:
    """One request for each way in. What the platform answers clearly is kept as the credentials' state."""
    if app.registry.fetcher is None:
        raise Unavailable("Nothing can be fetched here.")
    asking = Asking.by(app.settings, app.registry.fetcher)
    used = await app.accounts.credentials(platform)
    tests: list[Outcome] = []
    async for outcome in asking.outcomes(used):
        await app.accounts.note(used, outcome)
        tests.append(outcome)
    return TestedOut(
        account=await _account(app, platform),
        tests=[TestOut(names=list(one.names), state=one.state, detail=one.detail) for one in tests],
    )


@router.post("/rotate", summary="Seal all secrets anew under the first key", responses=responses(409))
async def rotate(app: App) -> RotationOut:
    """Put a new key before the old in EXTROPHI_SECRET_KEY first. Once it is done, the old may be taken away."""
    done = await app.accounts.rotate()
    return RotationOut(resealed=done.resealed, kept=done.kept, unreadable=done.unreadable, key=done.key)


def _given(values: Any) -> dict[str, str]:
    """Raises InvalidInput, which shows nothing of what was given."""
    if not isinstance(values, dict) or not 0 < len(values) <= 10:
        raise InvalidInput("values: give credentials by name, ten at most.", field="values", hint=_NAMES)
    for text in values.values():
        if not isinstance(text, str) or not 0 < len(text.strip()) <= len(text) <= _MOST_CHARACTERS:
            raise InvalidInput(
                f"values: each is a text of at most {_MOST_CHARACTERS:,} characters, and not blank.",
                field="values",
                hint=_NAMES,
            )
    return values


def _key(app: App) -> str | None:
    try:
        keys = app.accounts.ring.keys()
    except Unavailable:
        return None
    return keys[0].id if keys else None


async def _account(app: App, platform: Platform) -> AccountOut:
    return _out(ACCOUNTS[platform], (await app.accounts.held(platform))[platform])


def _out(account: Account, held: Sequence[Held]) -> AccountOut:
    now = datetime.now(UTC)
    state = state_of(account, held, now)
    return AccountOut(
        platform=account.platform,
        title=account.title,
        state=state,
        expires_at=earliest_expiry(held),
        tested_at=max((one.test.tested_at for one in held if one.test), default=None),
        credentials=[
            one
            for kind in account.kinds
            for one in [_there(kind, some, now) for some in held if some.name == kind.name] or [_absent(kind)]
        ],
        hint=_hint(account, state, held, now),
        how=account.how,
    )


def _there(kind: Kind, held: Held, now: datetime) -> CredentialOut:
    return CredentialOut(
        name=kind.name,
        title=kind.title,
        setting=kind.setting,
        opens=kind.opens,
        host=held.host or None,
        source=held.source,
        state=held.state(now),
        expires_at=held.expires_at,
        set_at=held.set_at,
        tested_at=held.test.tested_at if held.test else None,
        detail=held.test.detail if held.test else "",
    )


def _absent(kind: Kind) -> CredentialOut:
    return CredentialOut(
        name=kind.name,
        title=kind.title,
        setting=kind.setting,
        opens=kind.opens,
        host=None,
        source=None,
        state="not_set",
        expires_at=None,
        set_at=None,
        tested_at=None,
        detail="",
    )


def _hint(account: Account, state: State, held: Sequence[Held], now: datetime) -> str:
    """The next step, in a sentence; empty where none is needed."""
    names = ", ".join(f"{one.name} of {one.host}" if one.host else one.name for one in held if one.state(now) == state)
    there = {one.name for one in held}
    if state == "missing" and there:
        lacking = next((way - there for way in account.ways if way & there), account.ways[0])
        return f"Set {' and '.join(sorted(lacking))} too: alone, what is there opens nothing."
    hints: Mapping[State, str] = {
        "missing": f"Set one of: {'; '.join(' with '.join(sorted(way)) for way in account.ways)}.",
        "unreadable": f"No key opens {names}: put EXTROPHI_SECRET_KEY (or the home's secret-key) back, or set it anew.",
        "refused": f"{account.title} refuses {names}: get a new one, and set it anew.",
        "expired": f"Set {names} anew: it has expired.",
        "expiring": f"Set {names} anew: it expires within a week.",
        "set": ""
        if account.platform == "web"
        else f"`extrophi accounts test {account.platform}` asks {account.title} whether it is taken.",
    }
    return hints.get(state, "")
