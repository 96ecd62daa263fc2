"""The rows in a project's repository, which its tests read, and what an edit of the schema means for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ml_project.config import DataConfig
from ml_project.data.sources.storage import Storage
from scaffolding.refreshing.comparison import Comparison
from scaffolding.writing.sample import MAX_COMMITTED_ROWS

PIPELINE = "cicd_pipeline.sh"
_NAMED = re.compile(r"^export \w+_DATA__SOURCE=(.+)$", re.MULTILINE)
_SQLITE = "sqlite:///"


def replacement_lines(root: Path, data: DataConfig, comparison: Comparison) -> Iterator[str]:
    """Yield which file has to be replaced after the edit, where its rows cannot fit the new schema.

    Parameters
    ----------
    root
        Folder of the project.
    data
        What opens the table that was looked at.
    comparison
        What changed in it.
    """
    committed = _committed(root)
    if committed is None or not _has_other_columns(comparison) or _is_same(root / committed, data.source):
        return
    path = _local_path(data.source)
    if path is None or path.suffix != committed.suffix or comparison.n_rows > MAX_COMMITTED_ROWS:
        how = f"write at most {MAX_COMMITTED_ROWS:,} of the new rows to it, in the form that it has now"
    else:
        how = f"cp {shlex.quote(str(path))} {shlex.quote(str(committed))}"
    yield f"The tests read {committed}, which has the old columns: after the edit replace it by new rows:"
    yield f"  {how}"


def _committed(root: Path) -> Path | None:
    """Return the file in the repository that holds real rows, relative to the project's root."""
    pipeline = root / PIPELINE
    named = _NAMED.search(pipeline.read_text(encoding="utf-8")) if pipeline.is_file() else None
    if named is None:
        return None
    return Path(shlex.split(named[1], comments=True)[0].removeprefix(_SQLITE))


def _has_other_columns(comparison: Comparison) -> bool:
    added = any(column.belongs_to_schema for column in comparison.new)
    retyped = any(change.old.kind != change.new.kind for change in comparison.changes)
    return bool(added or retyped or comparison.gone or comparison.renamed)


def _is_same(committed: Path, source: str) -> bool:
    path = _local_path(source.removeprefix(_SQLITE))
    return path is not None and path.resolve() == committed.resolve()


def _local_path(source: str) -> Path | None:
    storage = Storage(source)
    return Path(storage.path).absolute() if storage.is_local else None
