"""Made-up rows as files: one table, or a folder of Parquet files, each whole or not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ml_project.config_service import SyntheticConfig
from ml_project.data.synthetic import BLOCK_ROWS, RowGenerator
from ml_project.errors import ConfigError, Problem
from ml_project.safe_file import replaced_on_success

PART = re.compile(r"rows-\d{5,}\.parquet")
_ROWS_AT_ONCE = 8 * BLOCK_ROWS


def write_rows(
    generator: RowGenerator,
    config: SyntheticConfig,
    seed: int,
    *,
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
    advance
        Called with the number of rows just written.

    Raises
    ------
    ConfigError
        When the folder holds something else.
    """
    import pyarrow as pa

    schema = pa.Table.from_pandas(generator.generate(0, seed), preserve_index=False).schema
    is_folder = not config.output.suffix
    if is_folder:
        _empty(config.output)
    files = []
    for place, (first, n_rows) in enumerate(_spans(0, config.n_rows, config.rows_per_file if is_folder else None)):
        path = config.output / f"rows-{place:05d}.parquet" if is_folder else config.output
        with replaced_on_success(path) as temporary, _open_writer(temporary, schema) as writer:
            for start, count in _spans(first, n_rows, _ROWS_AT_ONCE):
                rows = generator.generate(count, seed, first_row=start)
                writer.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
                advance(count)
        files.append(path)
    return files


def _open_writer(path: Path, schema: Any) -> Any:
    """Return what writes Arrow tables to a file, by its ending."""
    from pyarrow import csv, parquet

    if path.suffix == ".parquet":
        return parquet.ParquetWriter(path, schema)
    return csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="needed"))


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
