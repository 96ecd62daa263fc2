"""Values of unique columns that repeat anywhere in a table, found with memory that does not grow with it.

Of each chunk the values are kept as sorted 64-bit keys with their rows; where the chunks' intervals of keys do not
overlap, as in a table with ascending numbers, nothing else has to be looked at.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.raw_schema import ColumnKind, ColumnRule
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem
from ml_project.feature_engineering.process import is_missing
from ml_project.validation.expectations import repeated_problems

KEYS_AT_ONCE = 2_000_000
_KEYS_PER_SAMPLE = 1000
_LONGEST_TEXT = 64
"""Texts up to it are hashed all at once."""

Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KeyRange:
    """What is known of the keys of one column in one chunk.

    Attributes
    ----------
    n_keys
        Number of values that are not missing.
    low, high
        Smallest and largest key; 0 where there is none.
    first_row
        Number of the first row where keys and rows ascend by one from row to row, so that nothing else needs to be
        kept; ``None`` elsewhere.
    repeats
        Whether a key occurs twice in the chunk.
    """

    n_keys: int
    low: int
    high: int
    first_row: int | None
    repeats: bool


def collect_keys(column: ConvertedColumn, rows: Keys, kind: ColumnKind) -> tuple[KeyRange, Keys | None]:
    """Return what is known of a chunk's keys, and keys and rows of shape ``(2, n_keys)``, sorted by key, to be kept.

    Parameters
    ----------
    column
        Values of a chunk.
    rows
        Their row numbers in the table, ascending, shape ``(n_rows,)``.
    kind
        Kind of the column.
    """
    values = column.spread()
    missing = is_missing(values)
    if missing.any():
        values, rows = values[~missing], rows[~missing]
    keys = _to_keys(values, kind)
    if not len(keys):
        return KeyRange(0, 0, 0, None, repeats=False), None
    steps = np.diff(keys)
    if (steps == 1).all() and rows[-1] - rows[0] == len(rows) - 1:
        return KeyRange(len(keys), int(keys[0]), int(keys[-1]), int(rows[0]), repeats=False), None
    if not (keys[1:] > keys[:-1]).all():
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
    found = KeyRange(len(keys), int(keys[0]), int(keys[-1]), None, bool((keys[1:] == keys[:-1]).any()))
    return found, np.stack([keys, rows])


def _to_keys(values: npt.NDArray[Any], kind: ColumnKind) -> Keys:
    """Return a key per value: equal values have equal keys, and different ones different keys, but for a freak hash."""
    if values.dtype == object:
        return _hash_texts(values)
    if kind in {"integer", "boolean"}:
        whole: Keys = values.astype(np.int64)
        return whole
    keys: Keys = (values + 0.0 if values.dtype.kind == "f" else values).view(np.int64)  # -0.0 is 0.0
    return keys


def _hash_texts(texts: npt.NDArray[Any]) -> Keys:
    lengths = np.fromiter(map(len, texts), dtype=np.uint64, count=len(texts))
    longest = int(lengths.max(initial=1))
    if longest > _LONGEST_TEXT:
        digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        return np.frombuffer(digests, dtype=np.int64)
    characters = texts.astype(f"U{longest}").view(np.uint32).reshape(len(texts), longest)
    factors = np.random.default_rng(0).integers(1, 2**64 - 1, _LONGEST_TEXT + 1, dtype=np.uint64) | np.uint64(1)
    hashes = lengths * factors[-1]
    for place in range(longest):
        hashes += characters[:, place] * factors[place]
    keys: Keys = hashes.view(np.int64)
    return keys


@dataclass(frozen=True)
class ChunkKeys:
    """The keys of one chunk, and the file that holds them where they have to be kept."""

    range: KeyRange
    path: Path

    def load(self) -> Keys:
        """Return keys and rows, shape ``(2, n_keys)``, sorted by key; read when looked at."""
        if self.range.first_row is None:
            kept: Keys = np.load(self.path, mmap_mode="r")
            return kept
        count = np.arange(self.range.n_keys)
        return np.stack([self.range.low + count, self.range.first_row + count])


def find_repeated(chunks: Sequence[ChunkKeys], rule: ColumnRule) -> list[Problem]:
    """Return the problems of a unique column in which values repeat anywhere in the table."""
    present = sorted((chunk for chunk in chunks if chunk.range.n_keys), key=lambda chunk: chunk.range.low)
    overlap = any(second.range.low <= first.range.high for first, second in pairwise(present))
    if not overlap and not any(chunk.range.repeats for chunk in present):
        return []
    n_repeated = 0
    first_rows: list[tuple[int, int]] = []
    for interval in _by_interval(present):
        keys, rows = interval[:, np.lexsort((interval[1], interval[0]))]
        again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        n_repeated += len(again)
        found = zip(rows[again].tolist(), keys[again].tolist(), strict=True)
        first_rows = heapq.nsmallest(MAX_SAMPLES_PER_PROBLEM, [*first_rows, *found])
    samples = [(row, _value(key, rule.kind)) for row, key in first_rows]
    return list(repeated_problems(rule.name, samples, n_repeated))


def _by_interval(chunks: Sequence[ChunkKeys]) -> Iterator[Keys]:
    """Yield keys and rows of all chunks, shape ``(2, n_keys)``, those of an interval of keys at a time."""
    n_keys = sum(chunk.range.n_keys for chunk in chunks)
    sample = np.sort(np.concatenate([chunk.load()[0, ::_KEYS_PER_SAMPLE] for chunk in chunks]))
    n_intervals = -(-n_keys // KEYS_AT_ONCE)
    ends = [sample[len(sample) * place // n_intervals] for place in range(1, n_intervals)]
    places = [[0] * len(chunks)]
    places += [[int(np.searchsorted(chunk.load()[0], end)) for chunk in chunks] for end in ends]
    places += [[chunk.range.n_keys for chunk in chunks]]
    for starts, stops in pairwise(places):
        parts = [chunk.load()[:, start:stop] for chunk, start, stop in zip(chunks, starts, stops, strict=True)]
        yield np.concatenate(parts, axis=1)


def _value(key: int, kind: ColumnKind) -> Any:
    """Return the value of a key; ``None`` of a text, which cannot be told from its hash."""
    if kind in {"integer", "boolean"}:
        return key
    if kind == "number":
        return float(np.int64(key).view(np.float64))
    return str(np.datetime64(key, "us")) if kind == "datetime" else None
