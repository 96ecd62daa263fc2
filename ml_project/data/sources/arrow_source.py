"""Sources that come as Arrow tables: one streaming core for CSV and Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ml_project.data.sources.base import Select, every_column, no_rows

if TYPE_CHECKING:
    import pandas as pd


class ArrowSource(ABC):
    """A source whose tables arrive in pieces of any size."""

    @abstractmethod
    def tables(self, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[Any]:
        """Yield Arrow tables of one schema, in the order of the rows; texts may be encoded by a dictionary.

        Parameters
        ----------
        skip_rows, select
            As in :meth:`ml_project.data.sources.base.Source.read_chunks`.
        """

    @abstractmethod
    def describe(self) -> str:
        """Return what is read from where, without passwords."""

    def read_chunks(self, n_rows: int, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[Any]:
        """Yield the table in Arrow tables of ``n_rows`` rows; see :class:`ml_project.data.sources.base.Source`."""
        start = skip_rows
        for table in regroup(self.tables(skip_rows=skip_rows, select=select), n_rows):
            yield table
            start += table.num_rows
        if start == 0:
            raise no_rows(self.describe())

    def read(self) -> pd.DataFrame:
        """Return the whole table as one frame; see :class:`ml_project.data.sources.base.Source`."""
        import pyarrow as pa

        tables = [table for table in self.tables() if table.num_rows]
        if not tables:
            raise no_rows(self.describe())
        return to_frame(pa.concat_tables(tables))


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


def without_first(tables: Iterable[Any], n_rows: int) -> Iterator[Any]:
    """Yield tables without the first ``n_rows`` rows of them all."""
    for table in tables:
        if n_rows < table.num_rows:
            yield table.slice(n_rows)
        n_rows = max(0, n_rows - table.num_rows)


def to_frame(table: Any) -> pd.DataFrame:
    """Return a table as a frame, with whole numbers exact beside missing ones."""
    import pyarrow as pa

    plain = pa.schema([(field.name, plain_type(field.type)) for field in table.schema])
    frame: pd.DataFrame = table.cast(plain).to_pandas(
        integer_object_nulls=True, date_as_object=False, ignore_metadata=True
    )
    return frame


def plain_type(arrow_type: Any) -> Any:
    """Return the type of the values, also where they are encoded by a dictionary."""
    import pyarrow as pa

    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
