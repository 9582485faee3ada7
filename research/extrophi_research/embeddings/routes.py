"""OpenAI's embeddings API for the local model: https://platform.openai.com/docs/api-reference/embeddings."""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extrophi_research.embeddings import local
from extrophi_research.http.problems import openai_error
from extrophi_research.http.state import App

router = APIRouter(prefix="/v1", tags=["embeddings"])
MAX_INPUTS = 2048  # OpenAI's own


class EmbeddingsIn(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"model": local.NAME, "input": "A heron."}]})
    model: str = local.NAME
    input: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=MAX_INPUTS)]
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Literal[384] | None = None
    user: str | None = None


class Usage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class EmbeddingOut(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingsOut(BaseModel):
    object: Literal["list"] = "list"
    data: list[EmbeddingOut]
    model: str
    usage: Usage


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = 1_600_000_000
    owned_by: str = "extrophi"


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


class OpenAIError(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIProblem(BaseModel):
    error: OpenAIError


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIProblem, "description": description}
    for status, description in (
        (400, "The request is wrong"),
        (401, "A key is needed"),
        (403, "This page may not ask"),
        (404, "There is no such model"),
        (405, "This path does not take this method"),
        (413, "This is too large"),
        (500, "Something went wrong here"),
    )
}


@router.post(
    "/embeddings",
    summary="Embed texts with the local model",
    response_model=EmbeddingsOut,
    responses=_PROBLEMS,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": EmbeddingsIn.model_json_schema()}}}
    },
)
async def embed(app: App, request: Request) -> Response:
    """A text longer than the model's 256 tokens is embedded by its beginning, as the model itself does."""
    try:
        body = EmbeddingsIn.model_validate_json(await request.body())
    except ValidationError as error:
        return _refused(error)
    if body.model != local.NAME:
        return _no_such_model(body.model)
    texts = [body.input] if isinstance(body.input, str) else body.input
    loop = asyncio.get_running_loop()
    content = await loop.run_in_executor(app.model.for_batches, _embedded, app.model, texts, body.encoding_format)
    return Response(content, media_type="application/json")


@router.get("/models", summary="The models there are", responses=_PROBLEMS)
async def models() -> Models:
    return Models(data=[Model(id=local.NAME)])


@router.get("/models/{model}", summary="One model", response_model=Model, responses=_PROBLEMS)
async def model(model: str) -> Model | JSONResponse:
    return Model(id=local.NAME) if model == local.NAME else _no_such_model(model)


def _embedded(model: local.LocalModel, texts: Sequence[str], encoding_format: str) -> bytes:
    """The reply's body. All in one thread that is not the loop's: many numbers take long to write."""
    vectors, tokens = model.embed(texts)
    if encoding_format == "base64":
        encoded: list[Any] = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
    else:
        encoded = vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(encoded)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json.dumps({"object": "list", "data": data, "model": local.NAME, "usage": usage}).encode()


def _no_such_model(name: str) -> JSONResponse:
    return openai_error(404, f"There is no model {name!r} here; {local.NAME} is.", "model", "model_not_found")


def _holds_numbers(given: object) -> bool:
    return isinstance(given, int) or (isinstance(given, list) and any(_holds_numbers(one) for one in given[:1]))


def _refused(error: ValidationError) -> JSONResponse:
    """What is wrong with the first field that is, in words."""
    errors = error.errors()
    field = str(errors[0]["loc"][0]) if errors[0]["loc"] else None
    if field is None:
        return openai_error(400, "The body is no JSON object that can be read.", None, "invalid_json")
    kinds = {one["type"] for one in errors if one["loc"][0] == field}
    message = f"{field}: {errors[0]['msg']}."
    if field == "input":
        message = "input: a text, or a list of texts, none of them empty."
        if "too_long" in kinds:
            message = f"input: at most {MAX_INPUTS} texts at once. Send the rest in another request."
        elif any(_holds_numbers(one["input"]) for one in errors):
            # The numbers of OpenAI's tokenizer; another model's pieces have other numbers.
            message = "input: tokens are numbers of one tokenizer, and not of this model's. Send the text itself."
    return openai_error(400, message, field, "invalid_value")
