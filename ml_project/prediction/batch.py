"""Scoring a whole table in chunks: read, check, predict, write."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ml_project.config import Config
from ml_project.data.retrieval import number_columns
from ml_project.data.sources import open_source
from ml_project.errors import ConfigError, MlProjectError
from ml_project.prediction.batch_run import BatchResult, BatchRun, open_table
from ml_project.prediction.pipeline import PredictionPipeline
from ml_project.prediction.progress import show_progress
from ml_project.prediction.table_writer import check_table_path

__all__ = ["BatchResult", "rejected_path", "score_table"]


def score_table(pipeline: PredictionPipeline, config: Config) -> BatchResult:
    """Write the predictions of the table that a config names.

    Nothing stands at ``prediction.output`` before all rows are scored, and what stood there before stays until then.
    Each prediction has the row's identifier, or its number counted from 0 where there is none.

    Parameters
    ----------
    pipeline
        What predicts.
    config
        The table (``data``), and what to do with it (``prediction``).

    Raises
    ------
    ConfigError
        When the output is neither CSV nor Parquet, or would replace the table itself.
    DataSourceError
        When the table cannot be read.
    InvalidDataError
        When columns are missing, or rows break the schema and ``prediction.invalid_rows`` is ``refuse``.
    MlProjectError
        When the output cannot be written.
    """
    output = config.prediction.output
    rejected = rejected_path(output)
    check_table_path(output)
    _refuse_own_input(config, output, rejected)
    source = open_source(config.data, number_columns=number_columns(pipeline.raw_schema))
    try:
        with contextlib.ExitStack() as files:
            run = BatchRun(pipeline, config, open_table(files, output), files, rejected)
            with show_progress("scoring", source.count_rows()) as advance:
                for chunk in source.read_chunks(config.prediction.chunk_rows):
                    run.take(chunk)
                    advance(len(chunk))
            run.refuse_problems()
    except OSError as error:
        raise MlProjectError(f"The predictions cannot be written to {output}: {error.strerror or error}") from error
    if not run.n_rejected:
        rejected.unlink(missing_ok=True)  # of an earlier run, whose rows these are not
    return run.result()


def _refuse_own_input(config: Config, output: Path, rejected: Path) -> None:
    """Refuse an output, with its file of rejected rows, that is the table itself or lies in the folder that is."""
    source = Path(config.data.source).resolve()
    if output.resolve().is_relative_to(source):
        raise ConfigError(
            f"prediction.output is {str(output)!r}, which is the table to score itself or lies in it; "
            "choose another file"
        )
    if rejected.resolve() == source:  # it would be removed as the left-over of an earlier run
        raise ConfigError(
            f"data.source is {str(rejected)!r}, where rows that break the schema would go; rename it, or choose "
            "another prediction.output"
        )


def rejected_path(output: Path) -> Path:
    """Return the file for the rows set aside.

    Examples
    --------
    >>> rejected_path(Path("output/predictions.parquet")).name
    'predictions.rejected.csv'
    """
    return output.with_name(f"{output.stem}.rejected.csv")
