from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.answering import AnswerPrinter
from extrophi_cli.output import write_json
from extrophi_cli.running import connect


def ask(
    question: Annotated[str, typer.Argument(help="A question about what has been collected.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Passages to answer from.")] = 8,
    platforms: options.Platforms = None,
    collections: options.Collections = None,
    authors: options.Authors = None,
    languages: options.Languages = None,
    after: options.After = None,
    before: options.Before = None,
    as_of: options.AsOf = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Answer a question from what has been collected; every [n] leads to a quoted sentence.

    Examples:
        extrophi ask "Why do long articles get read less on phones?"

        extrophi ask "What did the author change his mind about?" --author "Jane Doe" --json

        extrophi ask "What does a loaf of bread cost?" --as-of 2026-05-01
    """
    chosen = options.filters(
        platforms=platforms,
        collections=collections,
        authors=authors,
        languages=languages,
        after=after,
        before=before,
    )
    printer = AnswerPrinter(quiet=as_json)
    body = {"question": question, "limit": limit, "filters": chosen, **options.at(as_of)}
    with connect(url, key) as extrophi, extrophi.events("POST", "/api/answer", body=body) as events:
        for event in events:
            printer.take(event)
    if as_json:
        write_json(printer.finished())
    else:
        printer.finished()
