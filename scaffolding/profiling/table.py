"""From an address to a table: what it is, how it is written, and all its rows."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_project.config import DataConfig
from ml_project.data.distinct import distinct_values
from ml_project.data.sources import open_source
from ml_project.data.sources.opening import DATABASE_ENDINGS, FILE_SCHEMES, FORMATS_BY_ENDING
from ml_project.data.sources.sql_address import check_sqlite_file, parse_address, read_only, shown
from ml_project.data.sources.sql_problems import explain_sql, missing_driver
from ml_project.data.sources.storage import Storage
from ml_project.errors import ConfigError, DataSourceError
from scaffolding.addresses import is_of_web, refuse_secrets, without_secrets
from scaffolding.plan import Source
from scaffolding.profiling.column_kinds import are_numbers
from scaffolding.profiling.csv_dialect import sniff_csv

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL

_SAVE_AS_CSV = "open it in a spreadsheet program and save the sheet as CSV"


def find_source(
    address: str, *, target: str, table: str | None = None, csv: Mapping[str, Any] | None = None
) -> Source:
    """Return what lies at an address and how it is read.

    Parameters
    ----------
    address
        CSV or Parquet file, folder of Parquet files, ``s3://`` or ``gs://`` address of one, or SQLAlchemy URL.
    target
        Column to predict; whether the table has it is looked at later.
    table
        Table of a database.
    csv
        How a CSV file is written, as far as the user said so: fields of :class:`~ml_project.config.CsvConfig`. The
        rest is found out.

    Raises
    ------
    DataSourceError
        When nothing can be read there, or what is there is no table with rows.
    ConfigError
        When the table is not named, or options do not fit the kind of source.
    """
    refuse_secrets(address)
    storage = Storage(address)
    if storage.scheme not in FILE_SCHEMES:
        found = _of_database(address, target, table)
    elif storage.suffix in DATABASE_ENDINGS and storage.exists() and not storage.is_folder():
        found = _of_database(f"sqlite:///{storage.path}", target, table)
    else:
        found = _of_files(storage, target, table, csv)
    if csv and found.data.csv.model_fields_set.isdisjoint(csv):
        raise ConfigError(f"Options of CSV files ({', '.join(csv)}) are given, but {address!r} is none; omit them.")
    next(iter(open_source(found.data).read_chunks(1)))
    return found


def read_table(source: Source) -> pd.DataFrame:
    """Return the whole table of shape ``(n_rows, n_columns)``, untyped: the values of a CSV file are texts.

    Numbers that a CSV file writes with a decimal comma or separated thousands come in the usual form, as they will in
    the project.

    Raises
    ------
    DataSourceError
        When the source cannot be read.
    """
    frame = open_source(source.data).read()
    csv = source.data.csv
    if csv.decimal == "." and csv.thousands is None:
        return frame
    numbers = [name for name in frame.columns if are_numbers(distinct_values(frame[name], "text"), source.data)]
    return open_source(source.data, number_columns=numbers).read()


def _of_files(storage: Storage, target: str, table: str | None, csv: Mapping[str, Any] | None) -> Source:
    if storage.is_folder():
        return Source(_config(storage.address, target, table), is_file=False)
    storage.require_file()
    with storage.open() as stream:
        start = stream.read(2**12)
    if start.startswith(b"SQLite format 3\0"):
        return _of_database(f"sqlite:///{storage.path}", target, table)
    n_bytes = Path(storage.path).stat().st_size if storage.is_local else None
    if start.startswith(b"PAR1"):
        named = {} if FORMATS_BY_ENDING.get(storage.suffix) == "parquet" else {"format": "parquet"}
        return Source(_config(storage.address, target, table, **named), storage.is_local, n_bytes)
    _refuse_other_formats(storage, start)
    named = {} if FORMATS_BY_ENDING.get(storage.suffix) == "csv" else {"format": "csv"}
    config = _config(storage.address, target, table, csv=sniff_csv(storage, csv or {}), **named)
    return Source(config, storage.is_local, n_bytes)


def _config(address: str, target: str, table: str | None, **options: Any) -> DataConfig:
    return DataConfig(source=address, target_column=target, table=table, **options)


def _refuse_other_formats(storage: Storage, start: bytes) -> None:
    path = Path(storage.path).absolute() if storage.is_local else Path(Path(storage.path).name)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    formats = (
        (storage.suffix in {".xlsx", ".xls", ".xlsm", ".ods"}, "an Excel file", _SAVE_AS_CSV),
        (start.startswith(b"\xd0\xcf\x11\xe0"), "an Excel file", _SAVE_AS_CSV),
        (start.startswith(b"PK\x03\x04"), "an Excel file or another archive", f"{_SAVE_AS_CSV}, or unpack the archive"),
        (text.startswith(b"{"), "JSON", _conversion(path, "read_json", ", lines=True")),
        (text.startswith(b"["), "JSON", _conversion(path, "read_json")),
        (start.startswith(b"ARROW1") or storage.suffix == ".feather", "Feather", _conversion(path, "read_feather")),
        (start.startswith(b"\x1f\x8b"), "compressed", _unpacking(path)),
    )
    for is_that, what, advice in formats:
        if is_that:
            raise DataSourceError(f"{storage.address!r} is {what}, not CSV or Parquet; {advice}")


def _conversion(path: Path, reader: str, options: str = "") -> str:
    result = str(path.with_suffix(".parquet"))
    program = f"import pandas; pandas.{reader}({str(path)!r}{options}).to_parquet({result!r})"
    return f"convert it first, for instance with: {shlex.join([sys.executable, '-c', program])}"


def _unpacking(path: Path) -> str:
    result = path.with_name(f"{path.name.partition('.')[0]}_unpacked.csv")
    return f"unpack it first: gunzip --stdout < {shlex.quote(str(path))} > {shlex.quote(str(result))}"


def _of_database(address: str, target: str, table: str | None) -> Source:
    if is_of_web(address):
        raise DataSourceError(f"{without_secrets(address)!r} is a web address; download the file and name its path.")
    if table is None:
        url = parse_address(address)
        listed = ", ".join(_tables(url)) or "none"
        raise ConfigError(f"{shown(url)} is a database, but no table is named; name one with --table: {listed}.")
    return Source(_config(address, target, table), is_file=False)


def _tables(url: URL) -> list[str]:
    import sqlalchemy as sa

    check_sqlite_file(url)
    try:
        engine = sa.create_engine(read_only(url), poolclass=sa.pool.NullPool)
        inspector = sa.inspect(engine)
        return sorted([*inspector.get_table_names(), *inspector.get_view_names()])
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
        raise missing_driver(error, url) from error
    except sa.exc.SQLAlchemyError as error:
        raise explain_sql(error, f"list of tables of {shown(url)}", url) from error
