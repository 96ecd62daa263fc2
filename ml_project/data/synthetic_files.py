"""Made-up rows as files: one table, or a folder of Parquet files, each whole or not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pandas as pd

from ml_project.config_service import SyntheticConfig
from ml_project.data.synthetic import BLOCK_ROWS, RowGenerator
from ml_project.errors import ConfigError, Problem
from ml_project.safe_file import replaced_on_success

PART = re.compile(r"rows-\d{5,}\.parquet")
_ROWS_AT_ONCE = 8 * BLOCK_ROWS


class TableWriter(Protocol):
    """Writes frames, one after another, to one file."""

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def write_rows(
    generator: RowGenerator,
    config: SyntheticConfig,
    seed: int,
    *,
    open_writer: Callable[[Path], TableWriter],
    advance: Callable[[int], None],
) -> list[Path]:
    """Write made-up rows and return the files.

    The memory taken does not depend on the number of rows. Parts that an earlier run left in the folder are removed
    first, so that the folder never holds rows of two runs.

    Parameters
    ----------
    generator
        What makes the rows.
    config
        Number of rows, and where they go.
    seed
        Same seed, same rows, however many files they are in.
    open_writer
        Opens a file for writing, by its ending.
    advance
        Called with the number of rows just written.

    Raises
    ------
    ConfigError
        When the folder holds something else.
    """
    is_folder = not config.output.suffix
    if is_folder:
        _empty(config.output)
    files = []
    for place, (first, n_rows) in enumerate(_spans(0, config.n_rows, config.rows_per_file if is_folder else None)):
        path = config.output / f"rows-{place:05d}.parquet" if is_folder else config.output
        with replaced_on_success(path) as temporary:
            writer = open_writer(temporary)
            try:
                for start, count in _spans(first, n_rows, _ROWS_AT_ONCE):
                    writer.write(generator.generate(count, seed, first_row=start))
                    advance(count)
            finally:
                writer.close()
        files.append(path)
    return files


def _spans(first: int, n_rows: int, most: int | None) -> Iterator[tuple[int, int]]:
    """Yield the first row and the number of rows of consecutive parts."""
    end, step = first + n_rows, most or n_rows
    for start in range(first, end, step):
        yield start, min(step, end - start)


def _empty(folder: Path) -> None:
    """Remove the parts of an earlier run, and refuse a folder with anything else in it."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    others = [path for path in found if not PART.fullmatch(path.name) and not path.name.startswith(".")]
    if others:
        text = f"holds {others[0].name!r}, which no earlier run made; name a new or empty folder"
        raise ConfigError("Nothing was written.", [Problem(text, "synthetic.output", value=str(folder))])
    for path in found:
        if PART.fullmatch(path.name):
            path.unlink()
