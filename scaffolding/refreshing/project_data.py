"""The config of the project in a folder, and the table that it names or another one in its place."""

from __future__ import annotations

import os
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ml_project.config import MODELLING, Config, DataConfig
from ml_project.config_sources import PROJECT_CONFIG_FILE, explain, load_config
from ml_project.data.distinct import distinct_values
from ml_project.data.raw_schema import RawSchema
from ml_project.data.retrieval import number_columns
from ml_project.data.sources import open_source
from ml_project.data.sources.csv_numbers import normalise_numbers
from ml_project.errors import ConfigError, MlProjectError, Problem
from ml_project.use_case_file import USE_CASE_FILE, load_use_case
from scaffolding.profiling.column_kinds import are_numbers
from scaffolding.profiling.table import find_source

if TYPE_CHECKING:
    import pandas as pd

_SQLITE = "sqlite:///"


def read_config(root: Path) -> Config:
    """Return the config with which a training in a folder would start.

    Raises
    ------
    ConfigError
        When there is no project, or its config cannot be used.
    """
    path = root / USE_CASE_FILE
    if not path.is_file():
        raise ConfigError(f"{root} holds no project: it has no {USE_CASE_FILE}. Start this in a project's folder.")
    try:
        use_case = load_use_case(path, MODELLING)
    except MlProjectError:
        raise
    except ValidationError as error:
        raise explain(error) from error
    except Exception as error:
        raise unusable_code(str(USE_CASE_FILE), error) from error
    return load_config(use_case, environment=os.environ, project_config_file=root / PROJECT_CONFIG_FILE)


def unusable_code(what: str, error: Exception) -> ConfigError:
    """Return what to say of code of the user that cannot be imported."""
    if isinstance(error, SyntaxError):
        place = f"{error.filename}, line {error.lineno}"
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{last.filename}, line {last.lineno}"
    problem = Problem(f"{type(error).__name__}: {error}", place)
    return ConfigError(f"{what} cannot be imported; correct it first.", [problem])


def choose_data(config: DataConfig, root: Path, source: str | None, table: str | None) -> DataConfig:
    """Return what opens the project's own table, or another one in its place.

    The project's own dialect of CSV counts, however another file seems to be written: so a prediction reads it.

    Parameters
    ----------
    config
        The project's section on data.
    root
        Folder of the project, to which its relative paths belong.
    source
        Address of another table; ``None`` for the project's own.
    table
        Table of a database.
    """
    if source is None:
        own = _below(root, config.source)
        chosen = {"table": table, "query": None} if table is not None else {}
        return config.model_copy(update={"source": own, **chosen})
    if config.storage_options:
        return config.model_copy(update={"source": source, "table": table, "format": "auto", "query": None})
    found = find_source(source, target=config.target_column, table=table).data
    other = {name: getattr(found, name) for name in ("source", "table", "format")}
    return config.model_copy(update={**other, "query": None})


def _below(root: Path, address: str) -> str:
    """Return an address whose path, where it is relative, is that of a project's folder."""
    scheme = _SQLITE if address.startswith(_SQLITE) else ""
    path = Path(address.removeprefix(scheme)).expanduser()
    if root.resolve() == Path.cwd() or path.is_absolute() or (not scheme and "://" in address):
        return address
    return f"{scheme}{root.resolve() / path}"


def read_data(config: DataConfig, schema: RawSchema) -> pd.DataFrame:
    """Return the whole table with all of its columns, untyped, read once.

    Numbers that a CSV file writes in its own way come in the usual form, in new columns, too.
    """
    frame = open_source(config, number_columns=number_columns(schema)).read()
    if config.csv.decimal != "." or config.csv.thousands is not None:
        new = [name for name in frame.columns if name not in schema.names]
        frame = frame.assign(**_in_usual_form(frame, new, config)) if new else frame
    return frame.set_axis([str(name) for name in frame.columns], axis="columns")


def _in_usual_form(frame: pd.DataFrame, names: Collection[str], config: DataConfig) -> dict[str, pd.Series]:
    import pyarrow as pa

    found = {}
    for name in names:
        distinct = distinct_values(frame[name], "text")
        if distinct.only_texts and are_numbers(distinct, config):
            table = pa.table({name: pa.array(frame[name], type=pa.string())})
            found[name] = normalise_numbers(table, config.csv, (name,), 0, config.source).to_pandas()[name]
    return found
