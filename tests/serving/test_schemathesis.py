"""Requests generated from the OpenAPI document, and the answers held against it."""

import subprocess
import sys

import pytest

from tests.serving.conftest import limited_service
from tests.serving.running import KEY

TOO_STRICT = (
    # Texts that are numbers are taken, and so are fields that the schema does not name.
    "negative_data_rejection",
    # The document cannot say that a tensor's data fits its shape, or what the columns of a CSV are.
    "positive_data_acceptance",
)


@pytest.fixture(params=[("fastapi", "examples,coverage"), ("flask", "examples,fuzzing")], ids=" ".join)
def run(request, services, tmp_path):
    """What the program does with a service that needs a key; each framework gets half of its requests."""
    framework, phases = request.param
    service = limited_service(services, framework)
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", "--url", service.url,
            "--header", f"X-API-Key: {KEY}", "--phases", phases, "--max-examples", "4", "--seed", "1",
            "--exclude-checks", ",".join(TOO_STRICT), "--request-timeout", "30", "--continue-on-failure",
            "--generation-database", "none",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_answers_are_what_the_document_says(run):
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert "Tested: 16" in run.stdout
