"""Stored predictions read back as a frame, with the labels that became known."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ml_project.errors import DataSourceError
from ml_project.masking import mask_credentials
from ml_project.monitoring.address import explain, parse_url, sqlite_file
from ml_project.monitoring.engine import create_engine
from ml_project.monitoring.tables import has_tables, labels_table, predictions_table

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, Connection, Select

FETCH_ROWS = 10_000
TIMEOUT_SECONDS = 30.0
SECTIONS = ("record", "features", "output")
"""The table's columns that become one column per field."""

Moment = dt.datetime | str
"""A time: naive ones, and texts in ISO 8601 without a zone, are UTC."""


def read_predictions(
    url: str,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    model_version: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return stored predictions, the newest last.

    Parameters
    ----------
    url
        ``monitoring.storage.url``.
    since, until
        Only predictions from this time on, and before that time.
    model_version
        Only predictions of this model.
    limit
        Only so many of the newest; it also limits the memory needed.

    Returns
    -------
    pandas.DataFrame
        One row per prediction with ``prediction_id``, ``created_at`` (UTC), ``request_id``, ``model_version``,
        ``latency_seconds``, ``outliers`` (lists of fields), ``record.<column>``, ``features.<column>``,
        ``output.label`` and ``output.probas.<class>`` or ``output.value``, and ``label``: the label fed back last, NaN
        where there is none. Times in records are texts in ISO 8601.

    Raises
    ------
    DataSourceError
        When the database cannot be read or holds no predictions.
    """
    import sqlalchemy as sa

    shown = mask_credentials(url)
    parsed = parse_url(url)
    file = sqlite_file(parsed)
    if file is not None and not file.is_file():
        raise DataSourceError(f"There is no file {str(file)!r}; no prediction has been stored there yet.")
    engine = create_engine(parsed if file is None else _existing_file(parsed, file), TIMEOUT_SECONDS)
    options = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
    try:
        with engine.connect().execution_options(**options) as connection:
            if not has_tables(connection):
                raise DataSourceError(f"{shown} has no table of predictions; none has been stored there yet.")
            return _read(connection, _select(since, until, model_version, limit), newest_first=limit is not None)
    except sa.exc.SQLAlchemyError as error:
        raise DataSourceError(f"Predictions cannot be read from {shown} ({explain(error, url)}).") from error
    finally:
        engine.dispose()


def _existing_file(url: URL, file: Path) -> URL:
    """Return the URL with which a SQLite file is opened but not made.

    It is not opened for reading only: such a connection leaves auxiliary files behind, which a service that runs as
    another user could not write.
    """
    address = file.as_uri().replace("file://", "file:")
    return url.set(database=address).update_query_dict({"mode": "rw", "uri": "true"})


def _select(since: Moment | None, until: Moment | None, model_version: str | None, limit: int | None) -> Select[Any]:
    import sqlalchemy as sa

    predictions, labels = predictions_table(), labels_table()
    latest_label = (
        sa.select(labels.c.label)
        .where(labels.c.prediction_id == predictions.c.prediction_id)
        .order_by(labels.c.received_at.desc(), labels.c.label_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = sa.select(predictions, latest_label.label("label"))
    if since is not None:
        statement = statement.where(predictions.c.created_at >= _to_utc(since))
    if until is not None:
        statement = statement.where(predictions.c.created_at < _to_utc(until))
    if model_version is not None:
        statement = statement.where(predictions.c.model_version == model_version)
    if limit is None:
        return statement.order_by(predictions.c.created_at, predictions.c.prediction_id)
    return statement.order_by(predictions.c.created_at.desc(), predictions.c.prediction_id.desc()).limit(limit)


def _to_utc(moment: Moment) -> dt.datetime:
    """Return a time in UTC.

    Examples
    --------
    >>> _to_utc("2024-05-17T08:30:00+02:00").isoformat()
    '2024-05-17T06:30:00+00:00'
    """
    time = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _read(connection: Connection, statement: Select[Any], *, newest_first: bool) -> pd.DataFrame:
    streaming = connection.execution_options(stream_results=True, yield_per=FETCH_ROWS)
    with streaming.execute(statement) as result:
        stored = [_parse(row._asdict()) for part in result.partitions() for row in part]
    return _to_frame(stored[::-1] if newest_first else stored)


def _parse(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with values in place of JSON texts."""
    sections = {name: dict(_flatten(_parse_json(row[name]), name)) for name in SECTIONS}
    label = float("nan") if row["label"] is None else _parse_json(row["label"])
    return {**row, **sections, "outliers": _parse_json(row["outliers"]), "label": label}


def _parse_json(text: str) -> Any:
    try:
        return from_json(text, cache_strings="all")
    except ValueError:
        # Halves of surrogate pairs are no text to pandas; question marks stand for them.
        return from_json(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))


def _flatten(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings with their dotted names."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flatten(inner, f"{name}.{key}")


def _to_frame(stored: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = predictions_table().columns.keys()
    plain = pd.DataFrame(stored, columns=[name for name in columns if name not in SECTIONS])
    plain["created_at"] = pd.to_datetime(plain["created_at"], utc=True).astype("datetime64[us, UTC]")
    sections = [pd.DataFrame([row[name] for row in stored], index=plain.index) for name in SECTIONS]
    label = pd.DataFrame({"label": [row["label"] for row in stored]}, index=plain.index)
    fields = pd.concat([*sections, label], axis="columns")
    empty = [name for name in fields if fields[name].isna().all()]
    return pd.concat([plain, fields.astype(dict.fromkeys(empty, "float64"))], axis="columns")
