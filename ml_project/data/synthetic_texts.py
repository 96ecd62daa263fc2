"""Texts of made-up rows: those of a reference row that is alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.synthetic_columns import Codes

_LARGEST_KEY = 2**62


class DonatedTexts:
    """Text columns, taken together from a reference row that has the same categories as the row to make.

    Where no reference row has them all, the last of them count less: only the first ones must be the same.

    Parameters
    ----------
    texts
        Text columns of the reference, shape ``(n_reference, n_texts)``.
    codes
        Categories of the reference rows as numbers from 0, each of shape ``(n_reference,)``.
    sizes
        Number of categories of each.
    """

    def __init__(self, texts: pd.DataFrame, codes: Sequence[Codes], sizes: Sequence[int]) -> None:
        self._texts = texts
        self._sizes = tuple(sizes)
        self.n_categories = next(
            (place for place in range(len(sizes)) if math.prod(sizes[: place + 1]) > _LARGEST_KEY), len(sizes)
        )
        self._divisors = [math.prod(sizes[place : self.n_categories]) for place in range(self.n_categories, -1, -1)]
        keys = self._keys(codes, len(texts))
        self._order = np.argsort(keys, kind="stable")
        self._sorted_keys = keys[self._order]

    def draw(self, codes: Sequence[Codes], uniform: npt.NDArray[np.float64]) -> dict[str, Any]:
        """Return texts by column for rows with the given categories and random numbers from 0 to 1."""
        keys = self._keys(codes, len(uniform))
        donors = np.zeros(len(keys), dtype=np.intp)
        waiting = np.arange(len(keys))
        for divisor in self._divisors:
            reference, wanted = self._sorted_keys // divisor, keys[waiting] // divisor
            first = np.searchsorted(reference, wanted, side="left")
            count = np.searchsorted(reference, wanted, side="right") - first
            found = count > 0
            rows = waiting[found]
            donors[rows] = self._order[first[found] + (uniform[rows] * count[found]).astype(np.intp)]
            waiting = waiting[~found]
        return {str(name): column.array.take(donors) for name, column in self._texts.items()}

    def _keys(self, codes: Sequence[Codes], n_rows: int) -> npt.NDArray[np.int64]:
        keys = np.zeros(n_rows, dtype=np.int64)
        for code, size in zip(codes[: self.n_categories], self._sizes[: self.n_categories], strict=True):
            keys = keys * size + code
        return keys
