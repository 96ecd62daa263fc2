"""A simulated stream of production records: rows of the historic data as JSON, one batch after another, with drift."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import DataConfig
from ml_project.config_service import DriftConfig, SimulationConfig
from ml_project.data.coercion import coerce
from ml_project.data.columns import to_array
from ml_project.data.raw_schema import ColumnKind, RawSchema
from ml_project.data.retrieval import number_columns, read_historic
from ml_project.data.sources import open_source
from ml_project.data.sources.arrow_source import to_frame
from ml_project.errors import ConfigError, InvalidDataError, Problem
from ml_project.suggestions import suggest

Record = dict[str, Any]

BLOCK_ROWS = 1000
"""Records that are drawn at once."""


def simulate_batches(
    data: DataConfig, schema: RawSchema, simulation: SimulationConfig, seed: int
) -> Iterator[list[Record]]:
    """Return an iterator over batches of records, as a client would send them.

    The records depend neither on the batch size nor on the rate, and drift changes no other values than it is told to.

    Parameters
    ----------
    data
        Where the historic rows lie.
    schema
        The columns that records have.
    simulation
        Number of records, batch size, order and drift.
    seed
        Same seed, same records.

    Raises
    ------
    ConfigError
        With every column that cannot drift as the config says.
    DataSourceError, InvalidDataError
        When the data cannot be read; in historic order also later, when the rows come up.
    """
    drift = simulation.drift
    if drift is not None:
        _check_drift(drift, schema)
    draws, changes = (np.random.default_rng([seed, number]) for number in range(2))
    in_order = simulation.order == "historic"
    blocks = _blocks_in_order(data, schema) if in_order else _random_blocks(data, schema, draws)
    records: Iterator[Record] = (record for block in blocks for record in to_json_records(block, schema))
    if drift is not None:
        records = _drifting(records, drift, schema, changes)
    wanted = itertools.islice(records, simulation.n_instances)
    return (list(batch) for batch in itertools.batched(wanted, simulation.batch_size))


def to_json_records(raw: pd.DataFrame, schema: RawSchema) -> list[Record]:
    """Return raw rows as JSON values by column: ``None`` for missing, moments in ISO 8601.

    Parameters
    ----------
    raw
        Coerced raw data of shape ``(n_rows, n_columns)``; it is not changed.
    schema
        The columns wanted.

    Examples
    --------
    >>> from ml_project.data.raw_schema import ColumnRule
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="integer", nullable=True),))
    >>> to_json_records(pd.DataFrame({"age": [3.0, float("nan")]}), schema)
    [{'age': 3}, {'age': None}]
    """
    columns = [_json_values(to_array(raw[rule.name], rule.kind), rule.kind) for rule in schema.columns]
    return [dict(zip(schema.names, values, strict=True)) for values in zip(*columns, strict=True)]


def _json_values(array: npt.NDArray[Any], kind: ColumnKind) -> list[Any]:
    if kind == "datetime":
        return [None if moment is None else moment.isoformat() for moment in array.tolist()]
    if kind == "number":
        return [None if value != value else value for value in array.tolist()]  # noqa: PLR0124  NaN differs from itself
    if kind in {"integer", "boolean"}:
        to_type = int if kind == "integer" else bool
        return [None if value != value else to_type(value) for value in array.tolist()]  # noqa: PLR0124
    return list(array.tolist())


def _blocks_in_order(data: DataConfig, schema: RawSchema) -> Iterator[pd.DataFrame]:
    """Read the first rows, and return an iterator over the rows as they stand, again and again from the start."""
    source = open_source(data, number_columns=number_columns(schema))

    def read() -> Iterator[pd.DataFrame]:
        start = 0
        for rows in source.read_chunks(BLOCK_ROWS, select=partial(_wanted, schema)):
            yield _coerce(rows if isinstance(rows, pd.DataFrame) else to_frame(rows), data, schema, start)
            start += BLOCK_ROWS

    once = read()
    first = next(once)
    again = (block for _ in itertools.count() for block in read())
    return itertools.chain([first], once, again)


def _wanted(schema: RawSchema, names: Sequence[str]) -> Sequence[str]:
    """Return the columns to read; all of them where some are missing, so that an error can name what there is."""
    return list(schema.names) if set(schema.names) <= set(names) else names


def _coerce(rows: pd.DataFrame, data: DataConfig, schema: RawSchema, start: int) -> pd.DataFrame:
    """Return some rows as raw data; problems are told by the rows' numbers in the whole table."""
    try:
        return coerce(rows, schema, missing_values=data.missing_values)
    except InvalidDataError as error:
        found = [replace(one, row=None if one.row is None else start + one.row) for one in error.problems]
        raise InvalidDataError(error.message, found) from error


def _random_blocks(data: DataConfig, schema: RawSchema, draws: np.random.Generator) -> Iterator[pd.DataFrame]:
    """Read all rows, and return an iterator over rows drawn from them with replacement."""
    raw = read_historic(data, schema)
    return (raw.iloc[draws.integers(len(raw), size=BLOCK_ROWS)] for _ in itertools.count())


def _drifting(
    records: Iterator[Record], drift: DriftConfig, schema: RawSchema, changes: np.random.Generator
) -> Iterator[Record]:
    whole = {rule.name for rule in schema.columns if rule.kind == "integer"}
    shift = {name: int(amount) if name in whole else amount for name, amount in drift.shift.items()}
    for number, record in enumerate(records):
        chance, *chances = changes.random(1 + len(drift.missing)).tolist()
        if number < drift.start:
            yield record
            continue
        changed = _shifted(record, shift, drift.new_category) if chance < drift.share else record
        gone = [name for (name, share), drawn in zip(drift.missing.items(), chances, strict=True) if drawn < share]
        yield {**changed, **dict.fromkeys(gone)}


def _shifted(record: Record, shift: Mapping[str, float], new_category: Mapping[str, str]) -> Record:
    moved = {name: record[name] + amount for name, amount in shift.items() if record[name] is not None}
    return {**record, **moved, **new_category}


def _check_drift(drift: DriftConfig, schema: RawSchema) -> None:
    """Refuse drift of columns that there are not, or that are of another kind."""
    wanted: tuple[tuple[str, Mapping[str, Any], set[ColumnKind], str], ...] = (
        ("shift", drift.shift, {"integer", "number"}, "only numbers can be shifted"),
        ("new_category", drift.new_category, {"category", "text"}, "only categories and texts can get a new value"),
        ("missing", drift.missing, {rule.kind for rule in schema.columns}, ""),
    )
    problems = []
    for field, changes, kinds, why in wanted:
        for name, value in changes.items():
            place = f"simulation.drift.{field}.{name}"
            if name not in schema.names:
                text = f"the records have no such column{suggest(name, schema.names)}"
                problems.append(Problem(text, place))
            elif schema.rule(name).kind not in kinds:
                problems.append(Problem(f"is a column of kind {schema.rule(name).kind}; {why}", place))
            elif field == "shift" and schema.rule(name).kind == "integer" and value != int(value):
                problems.append(Problem("shifts a whole number; give a whole amount", place, value=value))
    if problems:
        raise ConfigError("The simulated drift is not possible; nothing was sent.", problems)
