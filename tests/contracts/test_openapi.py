"""Schemathesis reads each component's OpenAPI document and tries to make it break what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

from extrophi_cli.embedded.valkey import Valkey
from tests.contracts.services import Service, running
from tests.system.running import REPO

# What a hostile or careless client may see: never a 5xx, a status or a shape that the document does not tell of.
# A channel's name has to be asked of its platform, which may be away, as from here: 503 says so, and is no fault.
CONFIG = """
[[operations]]
include-path-regex = "^/(jobs|sources|sources/recognise)$"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""
pytestmark = pytest.mark.timeout(900)  # it takes as long as there are paths
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def assert_conforms(service: Service, folder: Path, *paths: str) -> None:
    """With a fixed seed: the same requests each time. `paths`: only these, as an expression."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    ran = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", str(REPO / service.name / "openapi.json"),
            "--url", str(service.client.base_url), "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
            "--max-examples", "15", "--seed", "7", "--generation-database", "none", "--warnings", "off",
            # Streams that follow a job to its end, and pages for a browser, say nothing that a schema could hold.
            "--exclude-path-regex", "/events$", *(f"--include-path-regex={one}" for one in paths),
        ],
        cwd=folder, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-200000:] + ran.stderr[-2000:]


async def test_backend_keeps_its_openapi_document(database: str, valkey: Valkey, tmp_path: Path) -> None:
    with (
        running("research", DATABASE_URL=database) as research,
        running(
            "backend", DATABASE_URL=database, REDIS_URL=valkey.url, RESEARCH_URL=str(research.client.base_url)
        ) as service,
    ):
        assert_conforms(service, tmp_path)


async def test_research_keeps_its_openapi_document(database: str, tmp_path: Path) -> None:
    with running("research", DATABASE_URL=database) as service:
        assert_conforms(service, tmp_path)


async def test_orchestrator_keeps_its_openapi_document(database: str, valkey: Valkey, tmp_path: Path) -> None:
    with (
        running("backend", DATABASE_URL=database, REDIS_URL=valkey.url) as backend,
        running("research", DATABASE_URL=database) as research,
        running(
            "orchestrator", BACKEND_URL=str(backend.client.base_url), RESEARCH_URL=str(research.client.base_url)
        ) as service,
    ):
        # Its document tells of the others' paths, too, which are tried where they are answered.
        assert_conforms(service, tmp_path, "^/(health|ready|metrics|api/(investigations|session))")
