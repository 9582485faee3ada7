"""Run by `python -m extrophi_cli`."""

from extrophi_cli.app import main

main()
