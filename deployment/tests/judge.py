"""What is wrong with an answer: every difference from the golden one, in words."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from deployment.tests.golden_request import PREDICTION_ID, Golden
from ml_project.artifacts.loading import LoadedArtifact
from ml_project.serving.messages import HttpAnswer

JSON = "application/json"
IDENTIFIER = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Judge:
    """Compares the answers of one deployment with the golden ones and remembers the identifiers that it gave.

    Parameters
    ----------
    artifact
        The artifact that is deployed, loaded in this process.
    """

    def __init__(self, artifact: LoadedArtifact) -> None:
        self._artifact = artifact
        self._seen: set[str] = set()

    def find_faults(self, golden: Golden, answer: HttpAnswer) -> list[str]:
        """Return what is wrong with the answer to a golden request; nothing where it is right."""
        faults = []
        if answer.status != golden.status:
            faults.append(f"status {answer.status} instead of {golden.status}: {answer.body[:500]!r}")
        if answer.media_type != JSON:
            faults.append(f"content type {answer.media_type!r} instead of {JSON!r}")
        return faults + self._find_wrong_headers(golden, answer) + self._find_wrong_body(golden, answer)

    def _find_wrong_headers(self, golden: Golden, answer: HttpAnswer) -> list[str]:
        if answer.headers is None:  # a provider that hands none on
            return []
        found = answer.headers
        wanted = dict(golden.answer_headers)
        if golden.error is None and golden.path != "/health":
            wanted["x-model-version"] = self._artifact.model_version
        faults = [
            f"header {name} is {found.get(name)!r} instead of {value!r}"
            for name, value in wanted.items()
            if found.get(name) != value
        ]
        return faults if found.get("x-request-id") else [*faults, "header x-request-id is missing"]

    def _find_wrong_body(self, golden: Golden, answer: HttpAnswer) -> list[str]:
        try:
            content = json.loads(answer.body)
        except ValueError as error:
            return [f"the body is not JSON ({error}): {answer.body[:500]!r}"]
        faults = []
        if golden.error is None and golden.records is not None:
            faults = self._take_identifiers(content)
        wanted = golden.expect_body(self._artifact)
        if exact(content) != exact(wanted):
            faults.append(f"the body is {content!r:.2000} instead of {wanted!r:.2000}")
        return faults

    def _take_identifiers(self, content: Any) -> list[str]:
        """Replace the identifiers of predictions by the golden text, and return what is wrong with them."""
        faults = []
        for prediction in predictions_in(content):
            identifier = prediction.get("prediction_id")
            if not is_uuid(identifier):
                faults.append(f"prediction_id {identifier!r} is no UUID")
            elif identifier in self._seen:
                faults.append(f"prediction_id {identifier!r} was given before")
            self._seen.add(str(identifier))
            prediction["prediction_id"] = PREDICTION_ID
        return faults


def predictions_in(content: Any) -> list[dict[str, Any]]:
    """Return the predictions of an answer's body."""
    found = content.get("predictions", [content]) if isinstance(content, dict) else []
    return [prediction for prediction in found if isinstance(prediction, dict)]


def is_uuid(text: Any) -> bool:
    """Return whether a text is a UUID in its usual form."""
    try:
        return isinstance(text, str) and str(UUID(text)) == text
    except ValueError:
        return False


def exact(content: Any) -> Any:
    """Return parsed JSON as a text in which numbers differ if a bit or their kind does; the order of fields counts."""
    return json.dumps(content)


def without_identifiers(answer: HttpAnswer) -> tuple[int, str, bytes]:
    """Return all that has to be the same in every deployment: status, content type and the bytes of the body."""
    return answer.status, answer.media_type, IDENTIFIER.sub(b"...", answer.body)
