"""Answers and citations as a reader of a terminal sees them."""

from extrophi_cli.output import one_line, say
from extrophi_cli.wire import JSON


def day(moment: object) -> str:
    return str(moment)[:10] if moment else ""


def byline(citation: JSON) -> str:
    """`Title — Author, 2026-01-31`, of what is known."""
    title = one_line(citation.get("title") or citation.get("external_id") or citation.get("document_id"))
    rest = ", ".join(one_line(part) for part in (citation.get("author"), day(citation.get("published_at"))) if part)
    return f"{title} — {rest}" if rest else title


def link(citation: JSON) -> str:
    return one_line(citation.get("deep_link") or citation.get("url") or "")


def show_citations(citations: list[JSON]) -> None:
    """The list below an answer: number, title, author, date, the quoted sentence, the link to its place."""
    if not citations:
        return
    say()
    for citation in citations:
        say(f"[{citation.get('n')}] {byline(citation)}", style="bold")
        say(f"    “{one_line(citation.get('quote', ''))}”")
        if link(citation):
            say(f"    {link(citation)}", style="blue")
