"""Log lines are events with fields: `job.page_saved job=… documents=40`."""

import logging
import time
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request (or job) that the current task works for; on each line while it is set."""


class _Fields(logging.Formatter):
    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}Z {record.levelname.lower()} {record.getMessage()}"
        line = line.replace("\r", "\\r").replace("\n", "\\n")  # one event a line, whatever a value holds
        line += f" request={request_id.get()}" if request_id.get() else ""
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up_log() -> None:
    """Everything to standard error, one event a line. Called once, by the process's main."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Fields())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def event(name: str, /, **fields: object) -> str:
    """`name key=value …`; values with spaces are quoted."""
    shown = ((key, str(value)) for key, value in fields.items())
    return " ".join([name, *(f'{key}="{value}"' if " " in value else f"{key}={value}" for key, value in shown)])
