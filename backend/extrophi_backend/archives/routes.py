from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, Field

from extrophi_backend.archives import service
from extrophi_backend.archives.reading import shown
from extrophi_backend.collectors.models import Platform
from extrophi_backend.errors import TooLarge
from extrophi_backend.http.fields import Name
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.jobs.routes import JobOut, out

router = APIRouter(prefix="/archives", tags=["archives"])
_LONGEST_NAME = 255


class ArchivePart(BaseModel):
    """One kind of thing that an archive holds, and what is made of it: nothing, if `becomes` is blank."""

    name: str
    count: int
    known: Annotated[int, Field(description="Of how many of them the library has documents already.")]
    becomes: str


class ArchiveOut(BaseModel):
    platform: Platform
    title: str
    parts: list[ArchivePart]
    job: Annotated[JobOut | None, Field(description="Null for a dry run.")] = None


@router.post(
    "",
    status_code=202,
    summary="Collect from a person's data archive: of X, of YouTube (Google Takeout), of Reddit",
    responses=responses() | {200: {"model": ArchiveOut, "description": "A dry run: nothing is stored."}},
)
async def create(
    app: App,
    response: Response,
    *,
    file: Annotated[UploadFile, File(description="The ZIP file as it was downloaded, or the parts of it that matter.")],
    collection: Annotated[Name, Form()] = "default",
    limit: Annotated[int, Form(ge=1, le=100_000)] = 100_000,
    dry_run: Annotated[bool, Form(description="Say what would be done, and do nothing.")] = False,
) -> ArchiveOut:
    """The same archive again changes nothing; a newer one adds what is new."""
    most = app.settings.file_max_bytes
    body = await file.read(most + 1)
    if len(body) > most:
        raise TooLarge(
            f"file: it is larger than {most:,} bytes.",
            field="file",
            hint="`extrophi import` sends only what matters of it; EXTROPHI_FILE_MAX_BYTES sets the limit.",
        )
    contents = await service.look(body)
    known = await service.known(app.pool, contents)
    job = None
    if dry_run:
        response.status_code = 200
    else:
        name = shown(file.filename or "archive.zip")[-_LONGEST_NAME:]
        kept = await service.keep(
            app.pool, app.captures, contents, name=name, body=body, collection=collection, limit=limit
        )
        await app.tell_workers()
        job = out(kept)
    return ArchiveOut(
        platform=contents.platform,
        title=contents.title,
        parts=[
            ArchivePart(name=one.name, count=one.count, known=known[one.name], becomes=one.becomes)
            for one in contents.parts
        ],
        job=job,
    )
