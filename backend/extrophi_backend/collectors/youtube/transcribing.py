"""Captions made of a video's sound, by an endpoint of the person's that speaks OpenAI's audio API.

Off unless TRANSCRIBE_URL is set: it is the one place where something of a video leaves the machine.
https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from extrophi_backend.collectors.youtube.captions import storable
from extrophi_backend.collectors.youtube.models import Captions, Cue
from extrophi_backend.collectors.youtube.reading import Json, items, number, parsed, text

MAX_SOUND = 25 * 2**20
"""Bytes: what OpenAI takes at most. Of the smallest format that YouTube has, that is about an hour."""
_SECONDS = 600.0
"""For an answer: an hour of sound takes minutes."""
_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")

Transcriber = Callable[[Path], Awaitable[Captions]]
"""Gives what is said in a file of sound. Raises NotTranscribed."""


class NotTranscribed(Exception):
    """`detail` is a sentence for people."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def make_transcriber(url: str, *, key: str | None = None, model: str = "whisper-1") -> Transcriber:
    """What asks an endpoint for captions.

    Args:
        url: Its base, that ends in /v1. It is the person's own word: it may be on a private network.
        key: Sent as a bearer token.
        model: One that tells the times of what it hears: whisper-1 and its like.
    """
    address = f"{url.rstrip('/')}/audio/transcriptions"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    asked = {"model": model, "response_format": "verbose_json", "timestamp_granularities[]": "segment"}

    async def transcribe(sound: Path) -> Captions:
        try:
            async with httpx.AsyncClient(timeout=httpx.Timeout(_SECONDS, connect=10.0), trust_env=False) as client:
                with sound.open("rb") as file:
                    answer = await client.post(address, headers=headers, data=asked, files={"file": (sound.name, file)})
        except httpx.HTTPError as error:
            raise NotTranscribed(f"What TRANSCRIBE_URL names does not answer ({type(error).__name__}).") from error
        if answer.status_code != 200:
            raise NotTranscribed(f"What TRANSCRIBE_URL names answers {answer.status_code}.")
        return _captions(parsed(answer.content), answer.content)

    return transcribe


def _captions(answer: Json, body: bytes) -> Captions:
    """The segments of an answer.

    Raises:
        NotTranscribed: there are none.
    """
    cues: list[Cue] = []
    for segment in items(answer, "segments"):
        said = storable(text(segment.get("text"))).strip()
        start = max(0.0, number(segment.get("start")) or 0.0, cues[-1].start if cues else 0.0)
        if said:
            cues.append(Cue(start, max(start, number(segment.get("end")) or 0.0), said))
    if not cues:
        raise NotTranscribed("What TRANSCRIBE_URL names hears nothing in it, or tells no times of what it hears.")
    language = text(answer.get("language"))
    # OpenAI names languages in words (“english”), others by their codes.
    return Captions(language if _CODE.fullmatch(language) else None, "transcribed", cues, body)
