"""The extrophi command: runs everything on one machine, and is a client of the orchestrator."""

__version__ = "0.1.0"
