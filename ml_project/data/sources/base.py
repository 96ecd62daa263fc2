"""What every source of historic data can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ml_project.errors import DataSourceError, Problem

if TYPE_CHECKING:
    import pandas as pd


Select = Callable[[Sequence[str]], Sequence[str]]
"""Given all column names of a table, returns those to read; it may refuse the table by raising."""

Rows = Any
"""Some rows, untyped: a ``pyarrow.Table``, or from a database a ``pandas.DataFrame`` of objects."""


def every_column(names: Sequence[str]) -> Sequence[str]:
    """Return all names."""
    return names


class Source(Protocol):
    """A table somewhere else, readable whole or in chunks; nothing is opened before a method is called."""

    def read_chunks(self, n_rows: int, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[Rows]:
        """Yield the table in pieces of ``n_rows`` rows, the last one possibly shorter.

        Values are untyped: see ``ml_project.data.coercion``.

        Parameters
        ----------
        n_rows
            Rows per piece.
        skip_rows
            Rows at the start to leave out, at the least cost that the source allows.
        select
            Decides which columns are read.

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

    def state(self) -> list[list[str]] | None:
        """Return texts that are the same as before only where the same rows will come in the same order.

        ``None`` where that cannot be known.
        """
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
