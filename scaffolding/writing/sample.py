"""The data of a new project: a copy of the table, and some of its rows for the repository in the same form."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.sources.opening import FORMATS_BY_ENDING
from ml_project.data.sources.storage import Storage
from ml_project.errors import DataSourceError
from scaffolding.addresses import without_secrets
from scaffolding.disk_space import too_full
from scaffolding.plan import ColumnRoles, Source
from scaffolding.writing.sample_files import write_csv_rows, write_parquet_rows, write_sqlite_rows

if TYPE_CHECKING:
    from typing import Any

MAX_COMMITTED_ROWS = 2000
"""Rows that belong into a repository."""
MAX_SAMPLE_ROWS = 20_000
"""Rows of a sample at most, where a target has so many classes that fewer would not show each often enough."""
MAX_COPIED_BYTES = 2**30
"""Size of a file above which a project refers to it where it lies."""
FEWEST_ROWS_PER_CLASS = 10
"""Rows of a rare class in a sample, where there are so many: enough for a holdout and five folds."""
FOLDER = Path("data/data")


@dataclass(frozen=True)
class DataFiles:
    """Where the data of a new project lies.

    Attributes
    ----------
    source
        What the config names: the copy, relative to the project's root, or the address given by the user.
    committed
        File that belongs to the repository, relative to the root.
    is_whole
        Whether that file is a copy of the whole table.
    n_committed
        Rows of that file.
    """

    source: str
    committed: str
    is_whole: bool
    n_committed: int

    @property
    def is_copied(self) -> bool:
        """Return whether the config names a copy in the project."""
        return self.source == self.committed or Path(self.source).parent == FOLDER


def plan_files(source: Source, package: str, target: pd.Series[Any]) -> DataFiles:
    """Return where the data of a new project will lie; nothing is written.

    Parameters
    ----------
    source
        The user's data.
    package
        Name of the new project's package.
    target
        Target of all rows.
    """
    is_whole, n_committed = len(target) <= MAX_COMMITTED_ROWS, count_committed(target)
    ending = _ending(source)
    copy, sample = str(FOLDER / f"{package}{ending}"), str(FOLDER / f"{package}_sample{ending}")
    if not source.is_file or (not is_whole and (source.n_bytes or 0) > MAX_COPIED_BYTES):
        return DataFiles(_absolute(source), sample, is_whole, n_committed)
    return DataFiles(copy, copy if is_whole else sample, is_whole, n_committed)


def write_data(frame: pd.DataFrame, source: Source, root: Path, package: str, roles: ColumnRoles) -> DataFiles:
    """Write the data of a new project: a verbatim copy of a file, and a sample of a large table.

    Parameters
    ----------
    frame
        The whole table as its source gives it.
    source
        Where it came from.
    root
        Root of the new project.
    package
        Name of its package.
    roles
        The target, of which every class is in the sample.

    Raises
    ------
    DataSourceError
        When the disk is too full for the copy, or the file changes while it is read.
    """
    files = plan_files(source, package, frame[roles.target])
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    if files.is_copied:
        _copy(Storage(source.data.source).path, root / files.source)
    if files.committed != files.source:
        positions = sample_rows(frame[roles.target], files.n_committed)
        _write_rows(frame, positions, source, root / files.committed)
    return files


def count_committed(target: pd.Series[Any]) -> int:
    """Return how many rows belong into the repository: more than usual where a target has many classes.

    No more than half of them are there because their class is rare, so that the sample looks like the table.

    Parameters
    ----------
    target
        Target of all rows.

    Examples
    --------
    >>> many = pd.Series([f"class {number}" for number in range(300)] * 100)
    >>> count_committed(many), count_committed(many.str.len() / 7), count_committed(many.head(50))
    (6000, 2000, 50)
    """
    if len(target) <= MAX_COMMITTED_ROWS:
        return len(target)
    values = pd.Index(target.astype("str").unique())
    wanted = 0 if _are_numbers(values) else 2 * FEWEST_ROWS_PER_CLASS * len(values)
    return min(len(target), max(MAX_COMMITTED_ROWS, min(wanted, MAX_SAMPLE_ROWS)))


def sample_rows(target: pd.Series[Any], n_rows: int, *, seed: int = 0) -> npt.NDArray[np.intp]:
    """Return the positions of randomly drawn rows in their order, with every value of a target of few values.

    The values keep their shares, but a rare one has at least :data:`FEWEST_ROWS_PER_CLASS` rows, where there are so
    many.

    Parameters
    ----------
    target
        Target of all rows.
    n_rows
        Rows to draw.
    seed
        Same seed, same rows.

    Examples
    --------
    >>> target = pd.Series(["no"] * 990 + ["yes"] * 10)
    >>> target.iloc[sample_rows(target, 100)].value_counts().to_dict()
    {'no': 90, 'yes': 10}
    """
    if len(target) <= n_rows:
        return np.arange(len(target))
    generator = np.random.default_rng(seed)
    codes, values = pd.factorize(target.astype("str"), sort=True, use_na_sentinel=False)
    counts = np.bincount(codes, minlength=len(values))
    least = min(FEWEST_ROWS_PER_CLASS, n_rows // len(values))
    if least == 0 or (least < FEWEST_ROWS_PER_CLASS and _are_numbers(values)):
        return np.sort(generator.permutation(len(target))[:n_rows])
    wanted = _shares(counts, n_rows, least)
    drawn = [generator.permutation(np.flatnonzero(codes == code))[:count] for code, count in enumerate(wanted)]
    return np.sort(np.concatenate(drawn))


def _are_numbers(values: pd.Index[Any]) -> bool:
    """Return whether values, many of them, are numbers and so no classes."""
    return bool(pd.to_numeric(pd.Series(values), errors="coerce").notna().all())


def _shares(counts: npt.NDArray[np.int64], n_rows: int, fewest: int) -> npt.NDArray[np.int64]:
    """Return how many rows of each class to draw: proportional, with a least number for rare classes."""
    least = np.minimum(counts, fewest)
    wanted = np.maximum(least, np.floor(counts * (n_rows / counts.sum()))).astype(np.int64)
    # what rare classes have too much is taken from the largest one, what rounding has left goes to it
    while wanted.sum() != n_rows:
        step = np.sign(n_rows - wanted.sum())
        room = np.where(step > 0, counts - wanted, wanted - least)
        place = int(np.argmax(np.where(room > 0, wanted, -1)))
        wanted[place] += step * min(abs(n_rows - int(wanted.sum())), int(room[place]))
    return wanted


def _ending(source: Source) -> str:
    if _format(source) == "sql":
        return ".sqlite"
    suffix = Storage(source.data.source).suffix
    return suffix if FORMATS_BY_ENDING.get(suffix) == _format(source) else f".{_format(source)}"


def _format(source: Source) -> str:
    """Return csv, parquet or sql; what is no file of a known ending is a folder of Parquet files or a database."""
    if source.data.format != "auto":
        return source.data.format
    if source.data.table is not None or source.data.query is not None:
        return "sql"
    return FORMATS_BY_ENDING.get(Storage(source.data.source).suffix, "parquet")


def _absolute(source: Source) -> str:
    """Return the address of data that stays where it is, understood in every working directory."""
    address = source.data.source
    if _format(source) == "sql":
        from ml_project.data.sources.sql_address import parse_address, sqlite_path

        path = sqlite_path(parse_address(address))
        return without_secrets(address) if path is None else f"sqlite:///{path.absolute()}"
    storage = Storage(address, source.data.storage_options)
    return str(Path(storage.path).absolute()) if storage.is_local else address


def _copy(origin: str, destination: Path) -> None:
    problem = too_full(destination.parent, Path(origin).stat().st_size)
    if problem is not None:
        raise DataSourceError(f"The copy of {origin!r} lies on {problem}, or choose another destination.")
    shutil.copyfile(origin, destination)


def _write_rows(frame: pd.DataFrame, positions: npt.NDArray[np.intp], source: Source, destination: Path) -> None:
    kind = _format(source)
    if kind == "sql":
        write_sqlite_rows(frame.iloc[positions], source.data.table or "data", destination)
        return
    storage = Storage(source.data.source, source.data.storage_options)
    if kind == "csv":
        write_csv_rows(storage, source.data.csv, positions, len(frame), destination)
    else:
        write_parquet_rows(storage, positions, len(frame), destination)
