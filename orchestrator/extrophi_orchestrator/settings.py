"""The orchestrator's settings: the only module that reads the environment."""

import re
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_IN_HEADERS = re.compile(r"[!-~]+")


class _SecretFiles(EnvSettingsSource):
    """`NAME_FILE` names a file that holds the value of `NAME`, as container platforms mount secrets."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.validation_alias)
        path = self.env_vars.get(f"{name}_file".lower()) or self.env_vars.get(f"{name}_FILE")
        if not path or "Secret" not in str(field.annotation):
            return None, name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), name, False
        except OSError as error:
            raise SystemExit(f"{name}_FILE: {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SystemExit(f"{name}_FILE: {path}: it is not UTF-8") from error


def _env(name: str, meaning: str, default: Any = None) -> Any:
    return Field(default, validation_alias=name, description=meaning)


class Settings(BaseSettings):
    """Each field says which variable it is, what it changes, and in which unit."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    host: str = _env("EXTROPHI_HOST", "Address to listen on.", "127.0.0.1")
    port: Annotated[int, Field(ge=1, le=65535)] = _env("EXTROPHI_PORT", "Port to listen on.", 8000)
    backend_url: HttpUrl = _env("BACKEND_URL", "Where backend is.", HttpUrl("http://backend:8000"))
    research_url: HttpUrl = _env("RESEARCH_URL", "Where research is.", HttpUrl("http://research:8000"))
    service_key: SecretStr | None = _env("EXTROPHI_SERVICE_KEY", "The key that the three components share.")
    api_keys: SecretStr | None = _env(
        "EXTROPHI_API_KEYS",
        "People's keys, comma-separated; one is made at the start if none is set and others than this machine may ask.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = _env(
        "EXTROPHI_ALLOWED_HOSTS",
        "Names it may be reached by, comma-separated, beside localhost: a proxy's, say. Who uses one needs a key."
        " Off loopback, every name if none is set.",
        (),
    )
    rate_limit: Annotated[int, Field(ge=0, le=1_000_000)] = _env(
        "EXTROPHI_RATE_LIMIT", "Requests a minute off loopback, for each key or address; 0: no limit.", 1200
    )
    answer_seconds: Annotated[float, Field(gt=0, le=86_400)] = _env(
        "EXTROPHI_ANSWER_SECONDS", "Longest wait for a component's first byte.", 120.0
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _HOST_NAME.fullmatch(name) and not _is_address(name):
                raise ValueError(f"{name!r} is no name of a host: leave out scheme, port and path")
        return names

    @field_validator("service_key")
    @classmethod
    def _can_be_sent(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not _IN_HEADERS.fullmatch(key.get_secret_value()):
            raise ValueError("it is sent in a header, which takes ASCII's letters, digits and marks, and no spaces")
        return key

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: Any) -> Any:
        given: dict[str, Any] = values
        return {name: value for name, value in given.items() if not (isinstance(value, str) and not value.strip())}

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
        return init_settings, env_settings, _SecretFiles(settings_cls)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def read_settings() -> Settings:
    """The environment's settings. A wrong one ends the program with one line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'][:1])}: {e['msg']}" for e in error.errors())
        print(wrong, file=sys.stderr)  # noqa: T201  before there is a log
        raise SystemExit(2) from None
