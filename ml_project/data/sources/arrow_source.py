"""Sources that come as Arrow tables: one streaming core for CSV and Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from ml_project.data.sources.base import no_rows


class ArrowSource(ABC):
    """A source whose tables arrive in pieces of any size."""

    @abstractmethod
    def tables(self) -> Iterator[Any]:
        """Yield Arrow tables of one schema, in the order of the rows."""

    @abstractmethod
    def describe(self) -> str:
        """Return what is read from where, without passwords."""

    def read_chunks(self, n_rows: int) -> Iterator[pd.DataFrame]:
        """Yield the table in frames of ``n_rows`` rows; see :class:`ml_project.data.sources.base.Source`."""
        start = 0
        for table in regroup(self.tables(), n_rows):
            yield to_frame(table, start)
            start += table.num_rows
        if start == 0:
            raise no_rows(self.describe())

    def read(self) -> pd.DataFrame:
        """Return the whole table as one frame; see :class:`ml_project.data.sources.base.Source`."""
        import pyarrow as pa

        tables = [table for table in self.tables() if table.num_rows]
        if not tables:
            raise no_rows(self.describe())
        return to_frame(pa.concat_tables(tables), start=0)


def regroup(tables: Iterable[Any], n_rows: int) -> Iterator[Any]:
    """Yield the same rows in tables of ``n_rows`` rows, the last one possibly shorter; empty tables vanish."""
    import pyarrow as pa

    waiting: list[Any] = []
    n_waiting = 0
    for table in tables:
        rest = table
        while n_waiting + rest.num_rows >= n_rows:
            taken = n_rows - n_waiting
            yield pa.concat_tables([*waiting, rest.slice(0, taken)])
            waiting, n_waiting, rest = [], 0, rest.slice(taken)
        if rest.num_rows:
            waiting.append(rest)
            n_waiting += rest.num_rows
    if waiting:
        yield pa.concat_tables(waiting)


def to_frame(table: Any, start: int) -> pd.DataFrame:
    """Return a table as a frame whose index starts at ``start``, with whole numbers exact beside missing ones."""
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True, date_as_object=False, ignore_metadata=True)
    return frame.set_axis(pd.RangeIndex(start, start + len(frame)))
