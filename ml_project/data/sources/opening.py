"""Choose the source that a config asks for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from ml_project.config import DataConfig
from ml_project.data.sources.base import Source
from ml_project.data.sources.csv_file import CsvSource
from ml_project.data.sources.parquet import ParquetSource
from ml_project.data.sources.sql import SqlSource
from ml_project.data.sources.storage import PACKAGES, Storage
from ml_project.errors import ConfigError, DataSourceError

Format = Literal["csv", "parquet", "sql"]

FORMATS_BY_ENDING: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
DATABASE_ENDINGS = frozenset({".db", ".sqlite", ".sqlite3"})
FILE_SCHEMES = frozenset({"file", *PACKAGES})


def open_source(config: DataConfig, *, number_columns: Collection[str] = ()) -> Source:
    """Return the source of historic data that the config names; no data is read yet.

    Parameters
    ----------
    config
        Address, format and options.
    number_columns
        Columns of a CSV file in which ``csv.decimal`` and ``csv.thousands`` are brought to the usual form.

    Raises
    ------
    DataSourceError
        When the address fits no kind of source.
    ConfigError
        When a table or query is given for a file, or none for a database.

    Examples
    --------
    >>> open_source(DataConfig(source="people.csv", target_column="income")).describe()
    "CSV file 'people.csv'"
    """
    found = _decide_format(config) if config.format == "auto" else config.format
    _check_combination(config, found)
    if found == "sql":
        return SqlSource(config.source, table=config.table, query=config.query)
    storage = Storage(config.source, config.storage_options)
    if found == "csv":
        return CsvSource(storage, config.csv, frozenset(number_columns))
    return ParquetSource(storage)


def _decide_format(config: DataConfig) -> Format:
    storage = Storage(config.source, config.storage_options)
    if storage.scheme in {"http", "https", "ftp"}:
        raise DataSourceError(f"data.source {config.source!r} is a web address; download the file and name its path.")
    if storage.scheme not in FILE_SCHEMES:
        return "sql"
    if storage.suffix in FORMATS_BY_ENDING:
        return FORMATS_BY_ENDING[storage.suffix]
    if storage.suffix in DATABASE_ENDINGS:
        raise DataSourceError(
            f"data.source {config.source!r} looks like an SQLite file; "
            f"write it as 'sqlite:///{config.source}' and set data.table."
        )
    if storage.is_folder():
        return "parquet"
    if not storage.exists():
        storage.require_file()
    raise DataSourceError(
        f"The ending {storage.suffix or 'none'!r} of data.source {config.source!r} is unknown; "
        f"known are {', '.join(FORMATS_BY_ENDING)} and folders of Parquet files, or set data.format."
    )


def _check_combination(config: DataConfig, found: Format) -> None:
    if found != "sql" and (config.table is not None or config.query is not None):
        field = "data.table" if config.table is not None else "data.query"
        raise ConfigError(
            f"{field} is set, but data.source is no database ({found}); remove {field} or give an SQLAlchemy URL."
        )
    if found == "sql" and config.table is None and config.query is None:
        raise ConfigError("data.source is a database, but neither data.table nor data.query is set; set one of them.")
