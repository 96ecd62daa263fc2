"""The table of predictions: its columns, one chunk of it, and its rows as lines of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.raw_schema import ColumnKind, ColumnRule, RawSchema
from ml_project.prediction.batch_rows import ROW
from ml_project.prediction.pipeline import LABEL, PredictionPipeline, most_probable

ROWS_AT_ONCE = 2**16
_PLAIN_BELOW = 1e10
"""Whole numbers below it are written by Arrow without an exponent."""


def batch_schema(pipeline: PredictionPipeline, names: Any) -> RawSchema:
    """Return the rules of the columns to read: what the model needs, the identifier and the target where present.

    The target may be missing in some rows.

    Parameters
    ----------
    pipeline
        What predicts.
    names
        Names of the table's columns.
    """
    optional = [name for name in (pipeline.id_column, pipeline.target_column) if name is not None and name in names]
    wanted = pipeline.raw_schema.select([*pipeline.input_schema.names, *optional])
    rules = tuple(
        rule.model_copy(update={"nullable": True}) if rule.name == pipeline.target_column else rule
        for rule in wanted.columns
    )
    return wanted.model_copy(update={"columns": rules})


class PredictionTable:
    """The columns of the table of predictions: the row's identifier or number, and what the pipeline predicts.

    Parameters
    ----------
    pipeline
        What predicts.
    schema
        The columns that are read.

    Attributes
    ----------
    schema
        Arrow schema of the table.
    """

    def __init__(self, pipeline: PredictionPipeline, schema: RawSchema) -> None:
        import pyarrow as pa

        self._pipeline = pipeline
        self._id = schema.rule(pipeline.id_column) if pipeline.id_column in schema.names else None
        identifier = (ROW, pa.int64()) if self._id is None else (self._id.name, _arrow_type(self._id))
        self._classes = None if pipeline.classes is None else pa.array(pipeline.classes)
        label = [] if self._classes is None else [(LABEL, self._classes.type)]
        numbers = [(name, pa.float64()) for name in pipeline.output_columns if name != LABEL]
        self.schema = pa.schema([identifier, *label, *numbers])

    def fill(
        self,
        rows: npt.NDArray[np.int64],
        columns: Mapping[str, ConvertedColumn],
        outputs: npt.NDArray[np.float64],
    ) -> Any:
        """Return a chunk of the table as an Arrow table.

        Parameters
        ----------
        rows
            Numbers of the rows, shape ``(n_rows,)``.
        columns
            Their raw data.
        outputs
            What the pipeline predicts for them.
        """
        import pyarrow as pa

        identifier = rows if self._id is None else _identifiers(columns[self._id.name].spread(), self._id)
        values = [pa.array(identifier, type=self.schema.types[0], from_pandas=True)]
        if self._classes is not None:
            values.append(self._classes.take(pa.array(most_probable(outputs))))
        by_column = outputs.T if outputs.ndim == 2 else [outputs]
        values += [pa.array(np.ascontiguousarray(numbers), from_pandas=True) for numbers in by_column]
        return pa.Table.from_arrays(values, schema=self.schema)


def _arrow_type(rule: ColumnRule) -> Any:
    import pyarrow as pa

    if rule.kind == "integer" and not rule.nullable:
        return pa.int64()
    types: dict[ColumnKind, Any] = {
        "integer": pa.float64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "category": pa.string(),
        "text": pa.string(),
        "datetime": pa.timestamp("us"),
    }
    return types[rule.kind]


def _identifiers(values: npt.NDArray[Any], rule: ColumnRule) -> npt.NDArray[Any]:
    if rule.kind == "integer" and not rule.nullable:
        return values.astype(np.int64)
    if rule.kind == "boolean":
        return np.array([None if value != value else bool(value) for value in values.tolist()], dtype=object)  # noqa: PLR0124
    return values


def csv_header(schema: Any) -> bytes:
    """Return the first line of a CSV file with the columns of an Arrow schema."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(schema.names)
    return line.getvalue().encode()


def csv_lines(table: Any) -> list[Any]:
    r"""Return the rows of an Arrow table as lines of CSV, in buffers of bytes; numbers keep all their digits.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"id": ["a", 'b "x", y'], "value": [1.0, 0.1 + 0.2]})
    >>> [bytes(lines).decode() for lines in csv_lines(table)]
    ['a,1.0\n"b ""x"", y",0.30000000000000004\n']
    """
    return [_lines(batch) for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE) if batch.num_rows]


def _lines(batch: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    *first, last = [_csv_texts(column) for column in batch.columns]
    last = pc.binary_join_element_wise(last, pa.scalar(""), pa.scalar("\n"), null_handling="replace")
    lines = pc.binary_join_element_wise(*first, last, pa.scalar(","), null_handling="replace") if first else last
    end = int(np.frombuffer(lines.buffers()[1], dtype=np.int32, count=len(lines) + 1)[-1])
    return lines.buffers()[2].slice(0, end)


def _csv_texts(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        return _float_texts(column)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, pa.scalar("True"), pa.scalar("False"))
    texts = pc.cast(column, pa.string())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return texts
    special = pc.match_substring_regex(texts, '[",\r\n]')
    if not pc.any(special).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    quoted = pc.binary_join_element_wise(pa.scalar('"'), doubled, pa.scalar('"'), pa.scalar(""))
    return pc.if_else(special, quoted, texts)


def _float_texts(column: Any) -> Any:
    """Return the shortest texts that mean the same numbers; whole ones with a decimal, so that a reader sees floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.cast(column, pa.string())
    numbers = column.to_numpy(zero_copy_only=False)
    whole = (np.trunc(numbers) == numbers) & (np.abs(numbers) < _PLAIN_BELOW)
    if not whole.any():
        return texts
    mask = pa.array(whole)
    decimals = pc.binary_join_element_wise(texts.filter(mask), pa.scalar(".0"), pa.scalar(""))
    return pc.replace_with_mask(texts, mask, decimals)
