"""Research's settings: the only module that reads the environment."""

import re
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override


class _SecretFiles(EnvSettingsSource):
    """`NAME_FILE` names a file that holds the value of `NAME`, as container platforms mount secrets."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.validation_alias)
        path = (self.env_vars.get(f"{name}_file".lower()) or self.env_vars.get(f"{name}_FILE") or "").strip()
        if not path or "Secret" not in str(field.annotation):
            return None, name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), name, False
        except OSError as error:
            raise SystemExit(f"{name}_FILE: {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SystemExit(f"{name}_FILE: {path}: it is not UTF-8") from error


class _Variables(EnvSettingsSource):
    """A blank variable counts as unset, and leaves `NAME_FILE` its say."""

    @override
    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if str(value).strip()}


def _env(name: str, meaning: str, default: Any = None) -> Any:
    return Field(default, validation_alias=name, description=meaning)


class Settings(BaseSettings):
    """Each field says which variable it is, what it changes, and in which unit."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    host: str = _env("EXTROPHI_HOST", "Address to listen on.", "127.0.0.1")
    port: Annotated[int, Field(ge=1, le=65535)] = _env("EXTROPHI_PORT", "Port to listen on.", 8001)
    database_url: SecretStr = _env(
        "DATABASE_URL", "PostgreSQL that backend migrated.", SecretStr("postgresql://postgres@localhost/extrophi")
    )
    backend_url: HttpUrl = _env(
        "BACKEND_URL", "Where backend is: asked where vectors are in ChromaDB.", HttpUrl("http://backend:8000")
    )
    service_key: SecretStr | None = _env("EXTROPHI_SERVICE_KEY", "The key that the three components share.")
    data: Path = _env("EXTROPHI_DATA", "Folder of the keyword index, a cache that may be deleted.", Path("data"))
    model_threads: Annotated[int, Field(ge=0, le=256)] = _env(
        "EXTROPHI_MODEL_THREADS", "Threads of the local model; 0: one per core.", 0
    )
    openai_api_key: SecretStr | None = _env("OPENAI_API_KEY", "OpenAI's key: goes to OpenAI's address only.")
    openai_base_url: HttpUrl = _env("OPENAI_BASE_URL", "OpenAI's address.", HttpUrl("https://api.openai.com/v1"))
    embeddings_url: HttpUrl | None = _env("EMBEDDINGS_URL", "OpenAI-compatible endpoint for embeddings; ends in /v1.")
    embeddings_api_key: SecretStr | None = _env("EMBEDDINGS_API_KEY", "Key of EMBEDDINGS_URL.")
    chat_url: HttpUrl | None = _env("CHAT_URL", "OpenAI-compatible endpoint of the chat model; ends in /v1.")
    chat_api_key: SecretStr | None = _env("CHAT_API_KEY", "Key of CHAT_URL.")
    chat_model: Annotated[str, Field(max_length=200, pattern=r"\S")] | None = _env(
        "CHAT_MODEL", "Model that writes answers: of CHAT_URL, or one of OpenAI's. Unset: answers are quotations."
    )
    chat_seconds: Annotated[float, Field(gt=0, le=3600)] = _env(
        "EXTROPHI_CHAT_SECONDS", "Longest wait for the chat model's next words, in seconds.", 60.0
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

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if not isinstance(value, str) or value.strip()}

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, given: SecretStr) -> SecretStr:
        scheme, _, rest = given.get_secret_value().partition("://")
        if scheme not in {"postgresql", "postgres"}:
            raise ValueError("it is no address of PostgreSQL: postgresql://user@host:5432/name")
        hosts = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[2]
        for host in hosts.split(","):
            port = host.rpartition("]")[2].partition(":")[2]
            if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
                raise ValueError("its port is no number from 1 to 65535")
        return given

    @model_validator(mode="after")
    def _whole_chat(self) -> Self:
        if self.chat_url and not self.chat_model:
            raise ValueError("CHAT_MODEL: CHAT_URL is set, and which model it serves is not")
        if self.chat_model and not self.chat_url and not self.openai_api_key:
            raise ValueError("CHAT_URL: CHAT_MODEL is set, and neither CHAT_URL nor OPENAI_API_KEY says where it is")
        if self.chat_api_key and not self.chat_url:
            raise ValueError("CHAT_URL: CHAT_API_KEY is set, and it goes to CHAT_URL only")
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
        return init_settings, _Variables(settings_cls), _SecretFiles(settings_cls)


def read_settings() -> Settings:
    """The environment's settings. A wrong one ends the program with one line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(": ".join([*(str(part) for part in e["loc"][:1]), e["msg"]]) for e in error.errors())
        print(wrong, file=sys.stderr)  # noqa: T201  before there is a log
        raise SystemExit(2) from None
