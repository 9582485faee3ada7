"""The backend's settings: the only module that reads the environment."""

import re
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from extrophi_backend.accounts.known import SETTINGS
from extrophi_backend.accounts.reading import read_value
from extrophi_backend.sealing import read_keys

Network = IPv4Network | IPv6Network
Bytes = Annotated[int, Field(ge=1, le=2**40)]
_SCHEMES = {
    "database_url": ("postgresql://", "postgres://"),
    "redis_url": ("redis://", "rediss://", "unix://"),
    "captures_url": ("s3://", "gs://", "az://", "file://"),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")


class _Environment(EnvSettingsSource):
    """A variable that is blank counts as unset, also where it holds spaces."""

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in super()._load_env_vars().items() if value and value.strip()}


class _SecretFiles(EnvSettingsSource):
    """`NAME_FILE` names a file that holds the value of `NAME`, as container platforms mount secrets."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.validation_alias)
        path = self.env_vars.get(f"{name}_file".lower()) or self.env_vars.get(f"{name}_FILE")
        if not path or "Secret" not in str(field.annotation):
            return None, name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None, name, False
        except OSError as error:
            raise SystemExit(f"{name}_FILE: {path}: {error.strerror}") from error
        except ValueError as error:
            raise SystemExit(f"{name}_FILE: {path}: it is not UTF-8") from error


def _env(name: str, meaning: str, default: Any = None) -> Any:
    return Field(default, validation_alias=name, description=meaning)


def _parts(value: Any) -> Any:
    """The parts of a comma-separated value."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Each field says which variable it is, what it changes, and in which unit."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    host: str = _env("EXTROPHI_HOST", "Address to listen on.", "127.0.0.1")
    port: Annotated[int, Field(ge=1, le=65535)] = _env("EXTROPHI_PORT", "Port to listen on.", 8002)
    role: Literal["all", "api", "worker", "scheduler", "migrate"] = _env(
        "EXTROPHI_ROLE", "What this process does: all, api, worker, scheduler or migrate.", "all"
    )
    database_url: SecretStr = _env(
        "DATABASE_URL", "PostgreSQL with pgvector.", SecretStr("postgresql://postgres@localhost/extrophi")
    )
    redis_url: SecretStr = _env(
        "REDIS_URL", "Redis or Valkey: redis://, rediss:// or unix://path.", SecretStr("redis://localhost:6379")
    )
    research_url: HttpUrl = _env("RESEARCH_URL", "Where research is: the local model.", HttpUrl("http://research:8000"))
    vector_store: Literal["pgvector", "chroma"] = _env(
        "VECTOR_STORE", "Where a new library looks for the nearest vectors: pgvector or chroma.", "pgvector"
    )
    chroma_url: HttpUrl | None = _env(
        "CHROMA_URL", "A Chroma server. Unset, EXTROPHI_ROLE=all and `./extrophi up` run one of their own when needed."
    )
    service_key: SecretStr | None = _env("EXTROPHI_SERVICE_KEY", "The key that the three components share.")
    secret_key: SecretStr | None = _env(
        "EXTROPHI_SECRET_KEY",
        "Keys that secrets are sealed under, 32 bytes as base64 or hex, comma-separated: the first seals, all unseal.",
    )
    key_ring: Path | None = _env(
        "EXTROPHI_KEY_RING", "File of such keys, read whenever one is needed: `./extrophi up` gives its own."
    )
    x_bearer_token: SecretStr | None = _env("X_BEARER_TOKEN", "X: the API's bearer token.")
    x_auth_token: SecretStr | None = _env("X_AUTH_TOKEN", "X: the cookie auth_token of a session of your own.")
    x_ct0: SecretStr | None = _env("X_CT0", "X: that session's cookie ct0.")
    reddit_client_id: SecretStr | None = _env("REDDIT_CLIENT_ID", "Reddit: the id of an OAuth app.")
    reddit_client_secret: SecretStr | None = _env("REDDIT_CLIENT_SECRET", "Reddit: that app's secret.")
    reddit_refresh_token: SecretStr | None = _env("REDDIT_REFRESH_TOKEN", "Reddit: a user's refresh token of that app.")
    reddit_feed_token: SecretStr | None = _env(
        "REDDIT_FEED_TOKEN", "Reddit: the token of your private feeds, or a whole address with it."
    )
    reddit_feed_user: SecretStr | None = _env("REDDIT_FEED_USER", "Reddit: the user whose private feeds they are.")
    youtube_cookies: SecretStr | None = _env("YOUTUBE_COOKIES", "YouTube: cookies of your own (cookies.txt or JSON).")
    web_cookies: SecretStr | None = _env("WEB_COOKIES", "Web: cookies of sites where you have a login, likewise.")
    x_api_url: HttpUrl = _env("EXTROPHI_X_API_URL", "Where X's API is.", HttpUrl("https://api.x.com"))
    x_web_url: HttpUrl = _env("EXTROPHI_X_WEB_URL", "Where X's web pages are.", HttpUrl("https://x.com"))
    reddit_url: HttpUrl = _env("EXTROPHI_REDDIT_URL", "Where Reddit is.", HttpUrl("https://www.reddit.com"))
    reddit_oauth_url: HttpUrl = _env(
        "EXTROPHI_REDDIT_OAUTH_URL", "Where Reddit's API is.", HttpUrl("https://oauth.reddit.com")
    )
    youtube_url: HttpUrl = _env("EXTROPHI_YOUTUBE_URL", "Where YouTube is.", HttpUrl("https://www.youtube.com"))
    youtube_languages: Annotated[tuple[str, ...], NoDecode] = _env(
        "EXTROPHI_YOUTUBE_LANGUAGES", "Captions that are preferred, comma-separated (en,de); else the video's own.", ()
    )
    transcribe_url: HttpUrl | None = _env(
        "TRANSCRIBE_URL", "Endpoint that makes captions of a video without any (OpenAI's audio API); ends in /v1."
    )
    transcribe_api_key: SecretStr | None = _env("TRANSCRIBE_API_KEY", "Key of TRANSCRIBE_URL.")
    transcribe_model: str = _env("TRANSCRIBE_MODEL", "Model of TRANSCRIBE_URL.", "whisper-1")
    data: Path = _env("EXTROPHI_DATA", "Folder that may be written: captures are below it.", Path("data"))
    captures_url: str | None = _env(
        "EXTROPHI_CAPTURES_URL", "Object store of captures (s3://, gs://, az://, file://); else below EXTROPHI_DATA."
    )
    files_roots: Annotated[tuple[Path, ...], NoDecode] = _env(
        "EXTROPHI_FILES_ROOTS", "Folders below which files may be collected, comma-separated.", ()
    )
    fetch_allow: Annotated[tuple[Network, ...], NoDecode] = _env(
        "EXTROPHI_FETCH_ALLOW", "Private networks that may be fetched from all the same (CIDRs, comma-separated).", ()
    )
    fetch_max_bytes: Bytes = _env("EXTROPHI_FETCH_MAX_BYTES", "Largest answer that is fetched, in bytes.", 33_554_432)
    fetch_seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = _env(
        "EXTROPHI_FETCH_SECONDS", "Longest time one fetch may take, in seconds.", 60.0
    )
    chromium: Path | None = _env(
        "EXTROPHI_CHROMIUM", "The browser that renders pages: an executable; else the first that is found on PATH."
    )
    render_seconds: Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)] = _env(
        "EXTROPHI_RENDER_SECONDS", "Longest time one page may take in the browser, in seconds.", 20.0
    )
    render_max_memory: Annotated[int, Field(ge=2**27, le=2**40)] = _env(
        "EXTROPHI_RENDER_MAX_MEMORY", "Memory that one page may take in the browser, in bytes.", 1_073_741_824
    )
    file_max_bytes: Bytes = _env("EXTROPHI_FILE_MAX_BYTES", "Largest file that is collected, in bytes.", 67_108_864)
    revisits_per_day: Annotated[int, Field(ge=0, le=10_000_000)] = _env(
        "EXTROPHI_REVISITS_PER_DAY", "Known documents that are looked at again a day, in all; 0: none.", 2000
    )
    worker_slots: Annotated[int, Field(ge=1, le=64)] = _env(
        "EXTROPHI_WORKER_SLOTS", "Jobs that one worker runs at once.", 4
    )
    openai_api_key: SecretStr | None = _env("OPENAI_API_KEY", "OpenAI's key: goes to OpenAI's address only.")
    openai_base_url: HttpUrl = _env("OPENAI_BASE_URL", "OpenAI's address.", HttpUrl("https://api.openai.com/v1"))
    embeddings_url: HttpUrl | None = _env("EMBEDDINGS_URL", "OpenAI-compatible endpoint for embeddings; ends in /v1.")
    embeddings_api_key: SecretStr | None = _env("EMBEDDINGS_API_KEY", "Key of EMBEDDINGS_URL.")
    embeddings_model: str | None = _env("EMBEDDINGS_MODEL", "Model of EMBEDDINGS_URL, or one of OpenAI's.")
    local: bool = _env(
        "EXTROPHI_LOCAL", "Use the local embedding model even where OPENAI_API_KEY is set.", default=False
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can ask."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_closed(self) -> bool:
        """Whether others could ask, and no key tells whom to answer: then nothing but /health and its like is."""
        return self.service_key is None and not self.on_loopback

    def credential(self, setting: str) -> str | None:
        """What the environment gives as a platform's credential, by the name of its variable."""
        secret: SecretStr | None = getattr(self, setting.lower())
        return secret.get_secret_value() if secret else None

    @field_validator("youtube_languages", mode="before")
    @classmethod
    def _languages(cls, value: Any) -> Any:
        tags = _parts(value)
        if wrong := [tag for tag in tags if not _LANGUAGE.fullmatch(tag)]:
            raise ValueError(f"{wrong[0]!r} is no language tag: en, de, pt-BR, …")
        return tags

    @field_validator("files_roots", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        return _parts(value)

    @field_validator("fetch_allow", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        return [ip_network(part) if isinstance(part, str) else part for part in _parts(value)]

    @field_validator("database_url", "redis_url", "captures_url")
    @classmethod
    def _address(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.field_name or ""
        if value is not None:
            _check_address(value.get_secret_value() if isinstance(value, SecretStr) else value, name)
        return value

    @field_validator("secret_key")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_keys(value.get_secret_value())
        return value

    @field_validator(*(setting.lower() for setting in SETTINGS))
    @classmethod
    def _credential(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            read_value(*SETTINGS[(info.field_name or "").upper()], value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _whole_endpoint(self) -> Self:
        if self.embeddings_url and not self.embeddings_model:
            raise ValueError("EMBEDDINGS_MODEL: EMBEDDINGS_URL is set, and which model it serves is not")
        return self

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls), _SecretFiles(settings_cls)


def _check_address(address: str, name: str) -> None:
    """Raises ValueError, which shows nothing of the address: there may be a password in it."""
    if not address.startswith(_SCHEMES[name]):
        raise ValueError(f"begins with none of {', '.join(_SCHEMES[name])}")
    parts = urlsplit(address)
    if name == "redis_url" and parts.scheme != "unix" and not re.fullmatch(r"(/[0-9]*)?", parts.path):
        raise ValueError("names a database that is no number")
    if name == "captures_url":
        return
    for host in parts.netloc.rpartition("@")[2].split(","):  # PostgreSQL takes several
        found = _HOST.fullmatch(host)
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            raise ValueError("names a port that is none")


def read_settings() -> Settings:
    """The environment's settings. A wrong one ends the program with one line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(": ".join([*map(str, e["loc"][:1]), e["msg"]]) for e in error.errors())
        print(wrong, file=sys.stderr)  # noqa: T201  before there is a log
        raise SystemExit(2) from None
