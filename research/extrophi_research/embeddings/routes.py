"""OpenAI's embeddings API for the local model: https://platform.openai.com/docs/api-reference/embeddings."""

import asyncio
import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extrophi_research.embeddings import local
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
    for status, description in ((400, "The request is wrong"), (404, "There is no such model"))
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
async def embed(app: App, request: Request) -> JSONResponse:
    """A text longer than the model's 256 tokens is embedded by its beginning, as the model itself does."""
    try:
        body = EmbeddingsIn.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        return _problem(400, f"{where}: {first['msg']}", where.split(".")[0], "invalid_value")
    if body.model != local.NAME:
        return _problem(404, f"There is no model {body.model!r} here; {local.NAME} is.", "model", "model_not_found")
    texts = [body.input] if isinstance(body.input, str) else body.input
    vectors, tokens = await asyncio.to_thread(app.model.embed, texts)
    if body.encoding_format == "base64":
        encoded: list[Any] = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
    else:
        encoded = vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(encoded)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": local.NAME, "usage": usage})


@router.get("/models", summary="The models there are")
async def models() -> Models:
    return Models(data=[Model(id=local.NAME)])


@router.get("/models/{model}", summary="One model", response_model=Model, responses=_PROBLEMS)
async def model(model: str) -> Model | JSONResponse:
    if model != local.NAME:
        return _problem(404, f"There is no model {model!r} here; {local.NAME} is.", "model", "model_not_found")
    return Model(id=local.NAME)


def _problem(status: int, message: str, param: str, code: str) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": error}, status)
