"""A table read as the project reads it, or as its CSV file is written where the project's config says otherwise."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_project.config import Config, CsvConfig, DataConfig
from ml_project.data.raw_schema import RawSchema
from ml_project.data.sources.opening import FILE_SCHEMES, FORMATS_BY_ENDING
from ml_project.data.sources.storage import Storage
from ml_project.errors import MlProjectError
from scaffolding.profiling.csv_dialect import sniff_csv
from scaffolding.refreshing.comparison import Comparison, compare
from scaffolding.refreshing.project_data import read_data

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """A table and what changed in it.

    Attributes
    ----------
    frame
        The table as its source gives it, shape ``(n_rows, n_columns)``.
    comparison
        What changed against the schema.
    dialect
        How the CSV file is written, where it is not what the project's config says; else ``None``.
    """

    frame: pd.DataFrame
    comparison: Comparison
    dialect: CsvConfig | None = None

    @property
    def is_unchanged(self) -> bool:
        """Return whether the project can use the table as it stands."""
        return self.dialect is None and self.comparison.is_empty


def read_and_compare(data: DataConfig, schema: RawSchema, config: Config, left_out: Collection[str]) -> Reading:
    """Return a table with what changed in it.

    The project's own dialect counts. Another one is taken where the project cannot read the file with its own, or
    where fewer columns have changed when the file is read as it seems to be written.

    Parameters
    ----------
    data
        Where the table lies, with the project's dialect.
    schema
        The project's schema.
    config
        The project's config.
    left_out
        Columns that are left out of the schema on purpose.

    Raises
    ------
    MlProjectError
        When the table cannot be read in either way.
    """
    seen = _seen_dialect(data)
    try:
        own = _read(data, None, schema, config, left_out)
    except MlProjectError:
        other = None if seen is None else _read_if_possible(data, seen, schema, config, left_out)
        if other is None:
            raise
        return other
    if seen is None or (own.comparison.is_empty and not _is_certain(seen, data.csv)):
        return own
    other = _read_if_possible(data, seen, schema, config, left_out)
    return other if other is not None and _fits_better(other, own) else own


def _read(
    data: DataConfig, dialect: CsvConfig | None, schema: RawSchema, config: Config, left_out: Collection[str]
) -> Reading:
    frame = read_data(data if dialect is None else data.model_copy(update={"csv": dialect}), schema)
    return Reading(frame, compare(frame, schema, config, left_out=left_out), dialect)


def _read_if_possible(
    data: DataConfig, dialect: CsvConfig, schema: RawSchema, config: Config, left_out: Collection[str]
) -> Reading | None:
    try:
        return _read(data, dialect, schema, config, left_out)
    except MlProjectError:
        return None


def _fits_better(other: Reading, own: Reading) -> bool:
    if own.comparison.is_empty:
        return not other.frame.equals(own.frame)
    return other.comparison.n_changes < own.comparison.n_changes


def _seen_dialect(data: DataConfig) -> CsvConfig | None:
    """Return how a CSV file seems to be written, ``None`` where that is what the config says or it is no such file."""
    storage = Storage(data.source)
    if storage.scheme not in FILE_SCHEMES or data.storage_options or storage.is_folder():
        return None
    kind = FORMATS_BY_ENDING.get(storage.suffix) if data.format == "auto" else data.format
    try:
        seen = sniff_csv(storage, {}) if kind == "csv" else data.csv
    except MlProjectError:  # reading the file says what is wrong with it
        return None
    return None if _as_read(seen) == _as_read(data.csv) else seen


def _as_read(csv: CsvConfig) -> CsvConfig:
    try:
        name = codecs.lookup(csv.encoding).name
    except LookupError:  # reading the file says so
        name = csv.encoding
    return csv.model_copy(update={"encoding": name.removesuffix("-sig")})


def _is_certain(seen: CsvConfig, own: CsvConfig) -> bool:
    """Return whether the file's encoding is another one beyond doubt: other bytes than Unicode's hardly ever fit."""
    names = [_as_read(csv).encoding for csv in (seen, own)]
    return names[0] != names[1] and names[0].startswith("utf")
