"""A note as the document that it is."""

from uuid import UUID

from extrophi_backend.collectors.models import Collected


def as_document(highlight_id: UUID, note: str, quote: str, called: str) -> Collected:
    """The note on a passage of the document that is `called` so, as Markdown: what was written, and what on."""
    quoted = "\n".join(f"> {line}".rstrip() for line in quote.splitlines())
    return Collected(
        platform="files",
        external_id=f"highlight:{highlight_id}",
        text=f"{note.rstrip()}\n\n{quoted}\n",
        format="markdown",
        title=f"Note on “{called}”",
    )
