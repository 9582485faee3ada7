"""Where the servers that tests run keep their files."""

import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 2**30


def quick() -> Path | None:
    """For `tempfile`: a folder in memory where there is room, else None, for its own choice.

    PostgreSQL makes four hundred files for each database, and each test has a database: on a disk's file system that
    took a third of all the time.
    """
    return _MEMORY if _MEMORY.is_mount() and shutil.disk_usage(_MEMORY).free > _ENOUGH else None
