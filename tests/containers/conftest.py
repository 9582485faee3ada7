import subprocess

import pytest

from tests.containers.podman import ROOT


@pytest.fixture(scope="session")
def built() -> str:
    """What ./build-containers.sh prints."""
    done = subprocess.run(
        [ROOT / "build-containers.sh", "podman"], capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
