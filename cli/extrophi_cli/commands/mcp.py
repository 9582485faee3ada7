from typing import Annotated

import typer

from extrophi_cli import options


def mcp(
    allow_collect: Annotated[
        bool,
        typer.Option(
            "--allow-collect", help="Let the model collect, too. A collected text could ask it to: mind that."
        ),
    ] = False,
    url: options.URL = None,
    key: options.Key = None,
) -> None:
    """Serve the library to a language model's program, by the Model Context Protocol over stdio.

    Tools: search, read_document, ask; and collect with --allow-collect.

    Examples:
        extrophi mcp

        {"mcpServers": {"extrophi": {"command": "/path/to/extrophi", "args": ["mcp"]}}}
    """
    from extrophi_cli.mcp_server import make_server  # noqa: PLC0415  the SDK takes a second to import

    make_server(url, key, allow_collect=allow_collect).run("stdio")
