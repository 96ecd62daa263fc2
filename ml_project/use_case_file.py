"""The config that the repository's use cases start from, for commands that are not started from a use case."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ml_project.config import Config, Switches
from ml_project.errors import ConfigError, Problem

USE_CASE_FILE = Path("use_cases/use_case_config.py")


def load_use_case(path: Path, switches: Switches) -> Config:
    """Return what ``build_config`` of a Python file returns.

    Raises
    ------
    ConfigError
        When the file does not define such a function.
    """
    spec = importlib.util.spec_from_file_location("use_case_config", path)
    assert spec is not None  # the path ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "build_config"):
        problem = Problem("must define build_config(switches: Switches) -> Config", str(path))
        raise ConfigError("The use case's config cannot be built; nothing was started.", [problem])
    config: Config = module.build_config(switches)
    return config
