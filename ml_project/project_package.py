"""Which package holds the user's part, with its schema, feature processes and candidates, and what it holds.

It is the one that the caller names, else that of the environment variable ``ML_PROJECT_PACKAGE``, else
``ml_project.project``. Nothing that an artifact or a request says is ever imported.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ml_project.config_sources import PACKAGE_VARIABLE
from ml_project.errors import ConfigError, Problem

if TYPE_CHECKING:
    from ml_project.feature_engineering.process import FeatureProcess
    from ml_project.modelling.project_parts import Project

USUAL_PACKAGE = "ml_project.project"


def load_project(package: str | None = None) -> Project:
    """Return the schema, the feature processes and the candidates of the user's part.

    Parameters
    ----------
    package
        Name of the package that holds them.

    Raises
    ------
    ConfigError
        When a module cannot be imported, or lacks ``RawData``, ``FEATURE_PROCESSES`` or ``CANDIDATES``.
    """
    from ml_project.data.schema_reader import read_schema
    from ml_project.modelling.project_parts import Project

    return Project(
        schema=read_schema(_load(package, "schema", "RawData")),
        processes=load_feature_processes(package),
        candidates=_load(package, "candidates", "CANDIDATES"),
    )


def load_feature_processes(package: str | None = None) -> tuple[FeatureProcess, ...]:
    """Return the feature processes of the user's part, without importing its schema and its candidates.

    Parameters
    ----------
    package
        Name of the package that holds them.

    Raises
    ------
    ConfigError
        When the module cannot be imported, or lacks ``FEATURE_PROCESSES``.

    Examples
    --------
    >>> try:
    ...     load_feature_processes("json")
    ... except ConfigError as error:
    ...     print(*error.problems)
    ML_PROJECT_PACKAGE = 'json': has no module 'features'; name the package with schema, features and candidates
    """
    processes: tuple[FeatureProcess, ...] = _load(package, "features", "FEATURE_PROCESSES")
    return processes


def _load(package: str | None, module: str, name: str) -> Any:
    """Return what a module of the package defines by a name."""
    chosen = package or os.environ.get(PACKAGE_VARIABLE) or USUAL_PACKAGE
    if not all(part.isidentifier() for part in chosen.split(".")):
        raise _unusable("is no name of a package; give one such as ml_project.project", chosen)
    try:
        return getattr(import_module(f"{chosen}.{module}"), name)
    except ModuleNotFoundError as error:
        raise _unusable(_missing(chosen, module, error), chosen) from error
    except ImportError as error:
        raise _unusable(f"its module {module!r} cannot be imported: {error}", chosen) from error
    except AttributeError as error:
        if getattr(error, "name", None) != name:
            raise  # from a line of the module itself, which the traceback shows
        raise _unusable(f"its module {module!r} does not define {name}; add it", chosen) from error


def _missing(package: str, module: str, error: ModuleNotFoundError) -> str:
    """Return what to say of a module that is not there: the package, its module, or one that this imports."""
    missing = error.name or ""
    if missing == f"{package}.{module}":
        return f"has no module {module!r}; name the package with schema, features and candidates"
    if f"{package}.".startswith(f"{missing}."):
        return f"there is no package {missing!r} on the path; correct the name, or set PYTHONPATH to where it lies"
    return f"its module {module!r} imports {missing!r}, which is not installed here; install it, or leave it out"


def _unusable(text: str, package: str) -> ConfigError:
    problem = Problem(text, PACKAGE_VARIABLE, value=package)
    return ConfigError("The project's own package cannot be used; nothing was started.", [problem])
