from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel

from extrophi_backend.documents.schemas import SavedItem
from extrophi_backend.http.fields import Name
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.uploads.service import Upload, save_uploads

router = APIRouter(prefix="/uploads", tags=["documents"])
_FILES, _BYTES = 16, 32_000_000
"""How many files, and how much of them, are held in memory at once; one may be larger."""


class FailedUpload(BaseModel):
    """A file that became no document, and why. `code` is for programs."""

    target: str
    code: str
    detail: str


class Uploaded(BaseModel):
    items: list[SavedItem]
    failures: list[FailedUpload]


@router.post("", summary="Push files in", responses=responses())
async def upload(
    app: App,
    files: Annotated[list[UploadFile], File(description="Each with a name, which may be a path: it is kept.")],
    collection: Annotated[Name, Form()] = "default",
) -> Uploaded:
    """Each file is one document, or one failure with its reason. A name that was there before gets a new version."""
    max_bytes = app.settings.file_max_bytes
    saved, failures = await save_uploads(
        app.pool, app.captures, _batches(files, max_bytes), collection=collection, max_bytes=max_bytes
    )
    return Uploaded(
        items=[SavedItem(id=one.id, external_id=one.external_id, status=one.status) for one in saved],
        failures=[FailedUpload(target=one.target, code=one.code, detail=one.detail) for one in failures],
    )


async def _batches(files: Sequence[UploadFile], max_bytes: int) -> AsyncIterator[list[Upload]]:
    batch: list[Upload] = []
    size = 0
    for file in files:
        body = await file.read(max_bytes + 1)  # one more than allowed: enough to be refused
        batch.append(Upload(file.filename or "", file.content_type, body))
        size += len(body)
        if len(batch) == _FILES or size > _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
