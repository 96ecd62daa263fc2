"""The chunks of a table that are scored already, kept in a folder beside the output until all of them are.

Each chunk has its files and, written after them, a summary with their sizes and checksums; every file comes whole or
not at all. So a run that was killed at any moment goes on with the chunks that have no summary.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import uuid
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ml_project.errors import MlProjectError, Problem
from ml_project.prediction.batch_keys import KeyRange
from ml_project.prediction.batch_rows import CheckedChunk
from ml_project.validation.expectations import ColumnSums

LOCK, SUMMARY = "lock", "json"
PREDICTIONS, REJECTED, KEPT, ROWS = "predictions", "rejected.csv", "kept.npz", "rows.arrow"
_OWN_FILE = re.compile(r"[0-9a-f]{16}-\d{6,}\.[a-z0-9.]+?(\.\d+\.unfinished)?|lock")


class FindingSummary(BaseModel):
    """One kind of problem in one column of a chunk: how many rows have it, and the first of them."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    field: str
    text: str
    count: int
    samples: tuple[tuple[int, str | int | float | bool | None], ...]

    def problems(self) -> list[Problem]:
        """Return the samples as problems."""
        return [Problem(self.text, self.field, row, value) for row, value in self.samples]


class ChunkSummary(BaseModel):
    """What became of one chunk.

    Attributes
    ----------
    number
        Place among the chunks, counted from 0.
    n_source, n_rows, n_rejected
        Rows read, rows with predictions, and rows that break the schema.
    findings
        What is wrong with the latter.
    sums
        What is watched in a batch, by column.
    keys
        What is known of the values of unique columns, by column.
    files
        Size and checksum by the kind of file.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    number: int
    n_source: int
    n_rows: int = 0
    n_rejected: int = 0
    findings: tuple[FindingSummary, ...] = ()
    sums: dict[str, ColumnSums] = {}
    keys: dict[str, KeyRange] = {}
    files: dict[str, tuple[int, int]] = {}


def summarise_findings(chunk: CheckedChunk, n_samples: int) -> tuple[FindingSummary, ...]:
    """Return what is wrong with a chunk, with few samples of each kind."""
    return tuple(
        FindingSummary(
            field=finding.field,
            text=finding.text,
            count=len(finding.positions),
            samples=tuple(
                (chunk.start + place, _plain(chunk.value(finding.field, place)))
                for place in finding.positions[:n_samples].tolist()
            ),
        )
        for finding in chunk.findings
    )


def _plain(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value).encode(errors="backslashreplace").decode()


@dataclass(frozen=True)
class PartFiles:
    """The files of the chunks of one plan, as parent and workers name them.

    Attributes
    ----------
    folder
        Where they lie.
    plan
        First digits of the plan's hash, which are part of each name.
    """

    folder: Path
    plan: str

    def path(self, number: int, kind: str) -> Path:
        """Return the file of a kind of one chunk."""
        return self.folder / f"{self.plan}-{number:06}.{kind}"

    def write(self, summary: ChunkSummary, contents: Mapping[str, Iterable[Any]]) -> ChunkSummary:
        """Write the files of a chunk, each given as pieces of bytes, and then its summary.

        Returns
        -------
        ChunkSummary
            With sizes and checksums.
        """
        files = {kind: self._write(self.path(summary.number, kind), pieces) for kind, pieces in contents.items()}
        complete = summary.model_copy(update={"files": files})
        self._write(self.path(summary.number, SUMMARY), [complete.model_dump_json().encode()])
        return complete

    def read(self, number: int) -> ChunkSummary | None:
        """Return the summary of a chunk; ``None`` where it or one of its files is missing or not as written."""
        try:
            summary = ChunkSummary.model_validate_json(self.path(number, SUMMARY).read_bytes())
            states = {kind: _state(self.path(number, kind).read_bytes()) for kind in summary.files}
        except (OSError, ValidationError):
            return None
        return summary if states == summary.files else None

    def _write(self, path: Path, pieces: Iterable[Any]) -> tuple[int, int]:
        # No flush to the disk: after a power failure the checksum tells what is lost.
        temporary = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        size, checksum = 0, 0
        try:
            with temporary.open("wb") as stream:
                for piece in pieces:
                    size += stream.write(piece)
                    checksum = zlib.crc32(piece, checksum)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return size, checksum


def _state(content: bytes) -> tuple[int, int]:
    return len(content), zlib.crc32(content)


class PartsFolder:
    """The folder with the parts of an output, held by one run at a time.

    Parameters
    ----------
    output
        File that the parts will become.
    plan
        What the parts depend on, as JSON can hold it; ``None`` where nothing done before can be used again.

    Attributes
    ----------
    path
        The folder.
    files
        The files in it.
    done
        Summaries of the chunks that are done, by number.

    Raises
    ------
    MlProjectError
        When another run holds the folder.
    """

    def __init__(self, output: Path, plan: Mapping[str, Any] | None) -> None:
        self.path = parts_path(output)
        self._lock = _hold(self.path, output)
        content = json.dumps({"run": uuid.uuid4().hex} if plan is None else plan, sort_keys=True).encode()
        self.files = PartFiles(self.path, hashlib.sha256(content).hexdigest()[:16])
        try:
            self.done = self._read_done()
            self._clear(keep=(LOCK, self.files.plan))
        except BaseException:
            os.close(self._lock)
            raise

    def release(self) -> None:
        """Let go of the folder, for another run."""
        os.close(self._lock)

    def remove(self) -> None:
        """Remove the parts, and the folder unless something else lies in it."""
        self._clear()
        with contextlib.suppress(OSError):
            self.path.rmdir()
        os.close(self._lock)

    def _read_done(self) -> dict[int, ChunkSummary]:
        pattern = re.compile(rf"{self.files.plan}-(\d+)\.{SUMMARY}")
        numbers = sorted(int(found[1]) for entry in self.path.iterdir() if (found := pattern.fullmatch(entry.name)))
        summaries = [self.files.read(number) for number in numbers]
        return {summary.number: summary for summary in summaries if summary is not None}

    def _clear(self, keep: tuple[str, ...] = ()) -> None:
        """Remove the files of runs, but those whose names start as given; what else lies here is not touched."""
        for entry in list(self.path.iterdir()):
            if _OWN_FILE.fullmatch(entry.name) and not entry.name.startswith(keep):
                entry.unlink(missing_ok=True)


def keys_kind(place: int) -> str:
    """Return the kind of file with the keys of one of the unique columns."""
    return f"keys{place}.npy"


def parts_path(output: Path) -> Path:
    """Return the folder for the parts of an output.

    Examples
    --------
    >>> parts_path(Path("output/predictions.csv")).name
    'predictions.csv.parts'
    """
    return output.with_name(f"{output.name}.parts")


def _hold(folder: Path, output: Path) -> int:
    """Return the descriptor of a lock on a folder, which the system lifts when this process ends in whatever way."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o666)
        except FileNotFoundError:
            continue  # the run that held it has just removed the folder
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held, found = os.fstat(descriptor), os.stat(folder / LOCK)  # noqa: PTH116  may have been replaced
        except BlockingIOError as error:
            os.close(descriptor)
            raise MlProjectError(
                f"Another run is writing {output} at this moment; wait until it ends, or choose another "
                "prediction.output."
            ) from error
        except FileNotFoundError:
            os.close(descriptor)
            continue
        if held.st_ino == found.st_ino:
            return descriptor
        os.close(descriptor)
