import os
import subprocess

import pytest

from tests.containers.podman import ROOT


@pytest.fixture(scope="session")
def built() -> str:
    """What ./build-containers.sh prints. The Writer's is built on Debian: a bundle for glibc needs that."""
    done = subprocess.run(
        [ROOT / "build-containers.sh", "podman"],
        env={"VARIANT": "slim"} | os.environ,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
