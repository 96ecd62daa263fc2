"""Where the config's values come from, and the errors when they do not fit.

Later sources win: the fields' defaults, ``project_config.yaml``, the use case, a ``--config`` file, the environment
(``ML_PROJECT_DATA__SOURCE`` for ``data.source``), the command line. A service takes what they leave out from the
artifact that it serves.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ml_project.config import ArtifactsConfig, Config
from ml_project.config_fields import config_fields
from ml_project.errors import ConfigError, Problem
from ml_project.masking import is_secret_name, mask_secrets
from ml_project.safe_file import replace_file

ENVIRONMENT_PREFIX = "ML_PROJECT_"
DEPLOYMENT_PREFIX = "ML_PROJECT_DEPLOYMENT_"
"""Variables that start so are for the tests of deployments, and no fields of the config."""
PACKAGE_VARIABLE = "ML_PROJECT_PACKAGE"
"""Variable that names the package with the user's part, and no field of the config."""
PROJECT_CONFIG_FILE = Path("project_config.yaml")
NOT_USABLE = "The config is not usable; nothing was started."


@dataclass(frozen=True)
class Layer:
    """The values of one source, nested as in the config, and the problems met while reading them."""

    origin: str
    values: Mapping[str, Any]
    problems: tuple[Problem, ...] = field(default=())


def load_config(
    use_case: Config | None = None,
    *,
    config_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    project_config_file: Path = PROJECT_CONFIG_FILE,
    read_artifact: Callable[[Path], Layer] | None = None,
) -> Config:
    """Return the config that all sources together give.

    Parameters
    ----------
    use_case
        The config that a use case builds; only the fields that it sets count.
    config_file
        YAML file with any of the fields.
    environment
        Environment variables; those that start with ``ML_PROJECT_`` count.
    options
        Texts by dotted field name, as the command line gives them.
    project_config_file
        YAML file with settings of the whole codebase; need not exist.
    read_artifact
        Returns what the artifact at a path knows. It is asked where the other sources leave something out, and they
        win over it.

    Raises
    ------
    ConfigError
        With every unknown name, wrong value and wrong combination of all sources at once.
    ArtifactError
        When the artifact is asked and cannot be read.
    """
    layers = [
        Layer("defaults", {}),
        *([read_yaml_layer(project_config_file)] if project_config_file.exists() else []),
        *([Layer("the use case", use_case.model_dump(exclude_unset=True))] if use_case else []),
        *([read_yaml_layer(config_file)] if config_file else []),
        read_environment_layer(environment or {}),
        read_text_layer("the command line", options or {}),
    ]
    try:
        return build_config(layers)
    except ConfigError:
        if read_artifact is None:
            raise
    return build_config([read_artifact(_artifact_path(layers)), *layers])


def _artifact_path(layers: Sequence[Layer]) -> Path:
    """Return the path of the artifact in layers that make no config."""
    section = reduce(merge, (layer.values for layer in layers)).get("artifacts")
    given = section.get("path") if isinstance(section, Mapping) else None
    return ArtifactsConfig().path if given is None else Path(str(given))


def write_config(config: Config, path: Path) -> Path:
    """Write a resolved config, without secrets, as a YAML file that ``--config`` takes, and return its path."""
    text = yaml.safe_dump(mask_secrets(config.model_dump(mode="json")), sort_keys=False, allow_unicode=True)
    replace_file(path, text.encode())
    return path


def build_config(layers: Sequence[Layer]) -> Config:
    """Return the config of merged layers, or raise one :class:`ConfigError` with the problems of all of them."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge(merged, layer.values)
    problems = [problem for layer in layers for problem in layer.problems]
    config, errors = _validate(merged)
    problems += [_problem(details, layers) for details in errors]
    if config is None or problems:
        raise ConfigError(NOT_USABLE, _distinct(problems))
    return config


def _validate(values: Mapping[str, Any]) -> tuple[Config | None, list[Any]]:
    """Return the config and no errors, or ``None`` and all errors, those of rules across fields included."""
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        errors = list(error.errors())
    # Rules across fields are checked only where the fields themselves hold: look again without the wrong ones.
    repaired = reduce(_without, (details["loc"] for details in errors if details["type"] != "missing"), values)
    return None, errors + (_validate(repaired)[1] if repaired != values and repaired else [])


def _without(values: Mapping[str, Any], location: Sequence[Any]) -> Mapping[str, Any]:
    """Return nested values without the one at a location, of which only the leading part may exist."""
    head, *rest = location or ("",)
    if head not in values:
        return values
    inner = values[head]
    if rest and isinstance(inner, Mapping) and rest[0] in inner:
        return {**values, head: _without(inner, rest)}
    return {name: value for name, value in values.items() if name != head}


def merge(lower: Mapping[str, Any], higher: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values in which those of ``higher`` win.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = dict(lower)
    for name, value in higher.items():
        below = merged.get(name)
        both_nested = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[name] = merge(below, value) if both_nested else value  # type: ignore[arg-type]  # checked above
    return merged


def read_yaml_layer(path: Path) -> Layer:
    """Return the values of a YAML file, or a layer with the problem that it has."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Layer(str(path), {}, (Problem("there is no such file; give the path of a YAML file", str(path)),))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Layer(str(path), {}, (Problem(f"cannot be read as YAML: {' '.join(str(error).split())}", str(path)),))
    if values is not None and not isinstance(values, dict):
        return Layer(str(path), {}, (Problem("must hold a mapping of sections and fields", str(path), value=values),))
    return Layer(str(path), values or {})


def read_environment_layer(environment: Mapping[str, str]) -> Layer:
    """Return the values of the environment variables that start with :data:`ENVIRONMENT_PREFIX`."""
    texts = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", "."): text
        for name, text in sorted(environment.items())
        if is_for_a_field(name)
    }
    return read_text_layer("the environment", texts)


def is_for_a_field(variable: str) -> bool:
    """Return whether an environment variable is one for a field of the config, known or not.

    Examples
    --------
    >>> [is_for_a_field(name) for name in ("ML_PROJECT_DATA__SOURCE", PACKAGE_VARIABLE, "PATH")]
    [True, False, False]
    """
    other = variable == PACKAGE_VARIABLE or variable.startswith(DEPLOYMENT_PREFIX)
    return variable.startswith(ENVIRONMENT_PREFIX) and not other


def read_text_layer(origin: str, texts: Mapping[str, str]) -> Layer:
    """Return nested values from texts by dotted field name."""
    fields = config_fields()
    values: dict[str, Any] = {}
    problems = []
    for name, text in texts.items():
        if name not in fields:
            problems.append(unknown_field(name, origin))
            continue
        try:
            value = fields[name].parse(text)
        except yaml.YAMLError:
            problems.append(Problem(f"cannot be read as {fields[name].allowed} (from {origin})", name, value=text))
            continue
        for part in reversed(name.split(".")):
            value = {part: value}
        values = merge(values, value)
    return Layer(origin, values, tuple(problems))


def unknown_field(name: str, origin: str | None) -> Problem:
    """Return the problem of a name that is no field, with the closest one that is."""
    source = f" (from {origin})" if origin else ""
    return Problem(f"is not a field{_did_you_mean(name, config_fields())}{source}", name)


def explain(error: ValidationError) -> ConfigError:
    """Return what is wrong with a config that was built in code."""
    return ConfigError(NOT_USABLE, _distinct(_problem(details, []) for details in error.errors()))


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    return list({str(problem): problem for problem in problems}.values())


def _problem(details: Any, layers: Sequence[Layer]) -> Problem:
    location = [str(part) for part in details["loc"]]
    fields = config_fields()
    name = _field_name(location, fields)
    origin = _origin(name.split("."), layers)
    source = f" (from {origin})" if origin else ""
    if details["type"] == "extra_forbidden":
        return unknown_field(name, origin)
    if details["type"] == "missing":
        return Problem("must be set", name)
    if details["type"] == "value_error":
        return Problem(f"{details['ctx']['error']}{source}", name or None)
    value = "(hidden)" if is_secret_name(name) else details["input"]
    allowed = f"allowed: {fields[name].allowed}" if name in fields else details["msg"]
    return Problem(f"{allowed}{source}", name, value=value)


def _field_name(location: Sequence[str], fields: Mapping[str, Any]) -> str:
    # pydantic appends the branch of a union or the index of a list to the location of a field
    for length in range(len(location), 0, -1):
        name = ".".join(location[:length])
        if name in fields and (length == len(location) or not fields[name].is_section):
            return name
    return ".".join(location)


def _origin(path: Sequence[str], layers: Sequence[Layer]) -> str | None:
    for layer in reversed(layers):
        values: Any = layer.values
        for part in path:
            values = values.get(part, _origin) if isinstance(values, Mapping) else _origin
        if values is not _origin:
            return layer.origin
    return None


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    by_last_part = {full.rpartition(".")[2]: full for full in known}
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    close = close or [
        by_last_part[last] for last in difflib.get_close_matches(name.rpartition(".")[2], by_last_part, n=1, cutoff=0.7)
    ]
    return f"; did you mean {close[0]!r}?" if close else "; --help lists all fields"
