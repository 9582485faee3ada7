from extrophi_cli import options
from extrophi_cli.embedded.home import Home
from extrophi_cli.output import say, write_json
from extrophi_cli.running import stop
from extrophi_cli.settings import read_settings


def down(as_json: options.AsJSON = False) -> None:
    """Stop what `up`, or a command that needed it, has started.

    Jobs that run go on at the next start, from where they were.

    Examples:
        extrophi down
    """
    ran = stop(Home(read_settings().home))
    if as_json:
        write_json({"state": "stopped"})
    else:
        say("Stopped." if ran else "Extrophi is not running.")
