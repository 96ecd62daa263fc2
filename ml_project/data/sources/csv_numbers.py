"""Numbers with a decimal comma or separated thousands, rewritten with a decimal point; other texts stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from ml_project.config import CsvConfig
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, DataSourceError, Problem

THOUSANDS_AS_WRITTEN = {" ": " \u00a0\u202f", "'": "'\u2019"}
"""Characters that stand for a configured separator of thousands: also no-break blanks and a curly apostrophe."""


def normalise_numbers(table: Any, csv: CsvConfig, number_columns: Collection[str], start: int, where: str) -> Any:
    """Return an Arrow table of text with the numbers of some columns in the usual form.

    Parameters
    ----------
    table
        Text columns.
    csv
        Separators of decimals and thousands.
    number_columns
        Names of the columns; those that the table does not have are passed over.
    start
        Number of the table's first row in the whole file.
    where
        The file, for messages.

    Raises
    ------
    DataSourceError
        When a number has a decimal point where the config says comma, so that its meaning is unclear.
    """
    if csv.decimal == "." and csv.thousands is None:
        return table
    for position, name in enumerate(table.column_names):
        if name in number_columns:
            written = table.column(position)
            _refuse_unclear(written, csv, name, start, where)
            table = table.set_column(position, name, _normalise(written, csv))
    return table


def _normalise(written: Any, csv: CsvConfig) -> Any:
    from pyarrow import compute

    values, decimal = written, re.escape(csv.decimal)
    if csv.thousands is not None:
        grouped = compute.match_substring_regex(written, _grouped_pattern(csv))
        joined = compute.replace_substring_regex(written, _thousands_class(csv), "")
        values = compute.if_else(grouped, joined, written)
    if csv.decimal == ".":
        return values
    number = compute.match_substring_regex(values, rf"^\s*[+-]?\d*{decimal}\d*(?:[eE][+-]?\d+)?\s*$")
    return compute.if_else(number, compute.replace_substring(values, csv.decimal, "."), values)


def _refuse_unclear(written: Any, csv: CsvConfig, name: str, start: int, where: str) -> None:
    """Refuse texts that are a number only where a point, and not the configured comma, comes before the decimals."""
    from pyarrow import compute

    if csv.decimal == ".":
        return
    unclear = compute.match_substring_regex(written, r"^\s*[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$")
    if csv.thousands == ".":
        unclear = compute.and_not(unclear, compute.match_substring_regex(written, _grouped_pattern(csv)))
    rows = compute.indices_nonzero(unclear).to_pylist()[:MAX_SAMPLES_PER_PROBLEM]
    if rows:
        raise DataSourceError(
            f"{where} has numbers with a point, but data.csv.decimal is ','; "
            "if the point separates thousands, set data.csv.thousands to '.', else set data.csv.decimal to '.'.",
            [Problem("is it a decimal point or thousands?", name, start + row, written[row].as_py()) for row in rows],
        )


def _thousands_class(csv: CsvConfig) -> str:
    return f"[{re.escape(THOUSANDS_AS_WRITTEN.get(csv.thousands or '', csv.thousands or ''))}]"


def _grouped_pattern(csv: CsvConfig) -> str:
    decimal = re.escape(csv.decimal)
    return rf"^\s*[+-]?\d{{1,3}}(?:{_thousands_class(csv)}\d{{3}})+(?:{decimal}\d*)?(?:[eE][+-]?\d+)?\s*$"
