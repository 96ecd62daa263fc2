"""The function's entry: loads the model once, when Lambda starts an instance, and answers what it is called with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ml_project.serving.adapters.aws import LambdaAdapter, LambdaContext, LambdaSettings
from ml_project.serving.deployed import deployed_api

ADAPTER = LambdaAdapter(
    deployed_api(Path(__file__).with_name("model.zip"), log_style="aws"),
    LambdaSettings.from_environment(os.environ),
)


def handler(event: Any, context: LambdaContext) -> Any:
    """Return the answer to one invocation."""
    return ADAPTER.answer(event, context)
