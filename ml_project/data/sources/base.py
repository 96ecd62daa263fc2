"""What every source of historic data can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import pandas as pd

from ml_project.errors import DataSourceError, Problem


class Source(Protocol):
    """A table somewhere else, readable whole or in chunks; nothing is opened before a method is called."""

    def read_chunks(self, n_rows: int) -> Iterator[pd.DataFrame]:
        """Yield the table in frames of ``n_rows`` rows, the last one possibly shorter.

        The index counts the rows of the whole table from 0. Values are untyped: see ``ml_project.data.coercion``.

        Raises
        ------
        DataSourceError
            When the source cannot be read, does not hold a table, or has no rows.
        """
        ...

    def read(self) -> pd.DataFrame:
        """Return the whole table as one frame; raises like :meth:`read_chunks`."""
        ...

    def count_rows(self) -> int | None:
        """Return the number of rows, or ``None`` where counting costs as much as reading."""
        ...

    def describe(self) -> str:
        """Return what is read from where, without passwords."""
        ...


def refuse_repeated_names(names: Sequence[str], where: str) -> None:
    """Refuse a table in which two columns have the same name.

    Raises
    ------
    DataSourceError
        With every repeated name.
    """
    repeated = {name: count for name, count in Counter(names).items() if count > 1}
    if repeated:
        problems = [
            Problem(f"appears {count} times; keep or rename one", field=name) for name, count in repeated.items()
        ]
        raise DataSourceError(f"{where} has columns with the same name, so it is unclear which one is meant.", problems)


def no_rows(where: str) -> DataSourceError:
    """Return the error for a table that has columns but no rows."""
    return DataSourceError(
        f"{where} has no rows: there are column names but no data below them; check how it was written."
    )
