"""Entry point of the Google Cloud Function: loads the model when an instance starts, and answers its requests."""

import os
from pathlib import Path

from ml_project.serving.adapters.google import FrameworkAnswer, FrameworkRequest, FunctionAdapter
from ml_project.serving.adapters.google_worker import WorkerFunction
from ml_project.serving.deployed import deployed_api

_MODEL = Path(__file__).with_name("model.zip")
_FUNCTION = WorkerFunction(lambda: FunctionAdapter(deployed_api(_MODEL, log_style="google"), os.environ))


def predict(request: FrameworkRequest) -> FrameworkAnswer:
    """Answer one request."""
    return _FUNCTION.answer(request)
