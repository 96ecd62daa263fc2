"""Scoring a whole table in chunks: read, check, predict, write; killed at any moment, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ml_project.config import Config
from ml_project.data.retrieval import number_columns
from ml_project.data.sources import open_source
from ml_project.errors import ConfigError, InvalidDataError, MlProjectError
from ml_project.prediction.batch_parts import PartsFolder
from ml_project.prediction.batch_run import BatchResult, BatchRun
from ml_project.prediction.batch_workers import Scorable
from ml_project.prediction.progress import tell
from ml_project.prediction.table_writer import check_table_path

__all__ = ["BatchResult", "rejected_path", "score_table"]

PARTS_VERSION = 1
"""Version of the form of parts; those of another one are not used."""


def score_table(artifact: Scorable, config: Config, load: Callable[[], Scorable] | None = None) -> BatchResult:
    """Write the predictions of the table that a config names.

    Nothing stands at ``prediction.output`` before all rows are scored, and what stood there before stays until then.
    Each prediction has the row's identifier, or its number counted from 0 where there is none. Chunks that are done
    are kept in a folder beside the output; a run that was interrupted goes on with the others when it is started
    again, as long as table, model and config are the same.

    Parameters
    ----------
    artifact
        What predicts.
    config
        The table (``data``), and what to do with it (``prediction``).
    load
        Loads the same artifact again, in ``compute.n_processes`` processes that score; it must be possible to pickle
        it. ``None`` to score in this process.

    Raises
    ------
    ConfigError
        When the output is neither CSV nor Parquet, or would replace the table itself.
    DataSourceError
        When the table cannot be read, or changes meanwhile.
    InvalidDataError
        When columns are missing, or rows break the schema and ``prediction.invalid_rows`` is ``refuse``.
    MlProjectError
        When the output cannot be written, another run is writing it, or memory does not suffice.
    """
    output = config.prediction.output
    rejected = rejected_path(output)
    check_table_path(output)
    _refuse_own_input(config, output, rejected)
    source = open_source(config.data, number_columns=number_columns(artifact.pipeline.raw_schema))
    state = source.state()
    try:
        parts = PartsFolder(output, None if state is None else _plan(state, artifact, config))
        with _kept_unless_done(parts, is_resumable=state is not None):
            result = BatchRun(artifact, config, source, parts, rejected, load).score()
    except OSError as error:
        raise MlProjectError(f"The predictions cannot be written to {output}: {error.strerror or error}") from error
    except MemoryError as error:
        raise MlProjectError("Memory ran out; set compute.n_processes or prediction.chunk_rows lower.") from error
    if not result.n_rejected:
        rejected.unlink(missing_ok=True)  # of an earlier run, whose rows these are not
    return result


@contextmanager
def _kept_unless_done(parts: PartsFolder, *, is_resumable: bool) -> Iterator[None]:
    """Remove the parts after a with-block, but keep them when it was interrupted by what may not happen again."""
    try:
        yield
    except InvalidDataError:
        parts.remove()
        raise
    except BaseException:
        n_rows = sum(summary.n_source for summary in parts.done.values())
        if n_rows and is_resumable:
            tell(f"{n_rows:,} rows are scored and kept in {parts.path}; the same command goes on from there.")
            parts.release()
        else:
            parts.remove()
        raise
    parts.remove()


def _plan(state: list[list[str]], artifact: Scorable, config: Config) -> dict[str, Any]:
    """Return what the parts of an output depend on."""
    return {
        "version": PARTS_VERSION,
        "source": state,
        "model": artifact.model_version,
        "data": config.data.model_dump(mode="json", include={"format", "csv", "missing_values"}),
        "prediction": config.prediction.model_dump(mode="json"),
        "seed": config.compute.seed,
    }


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
