"""Engineered columns as the one matrix of numbers that an ONNX model takes.

A call of ONNX Runtime costs about as much per input as per ten nodes, and texts as inputs are copied one by one. So
numbers and categories, the latter as whole numbers, go in as one matrix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import MISSING_CATEGORY, Columns
from ml_project.data.distinct import RepeatingTexts

PACKING = "packing"
"""Key of the description of the matrix in the metadata of an ONNX model."""

_FLOAT = np.dtype(np.float64)


class Packing:
    """The columns of the matrix: numbers as they are, then categories as their codes.

    Parameters
    ----------
    numbers
        Names of the engineered numbers.
    categories
        Known texts by name of the engineered category; the code of a text is its position, a missing one has that of
        :data:`MISSING_CATEGORY`, and every other text has the number of texts.

    Examples
    --------
    >>> packing = Packing(["age"], {"sex": ["female", "male", ""]})
    >>> packing.pack({"age": np.array([4.0, 9.0]), "sex": np.array([None, "x"], dtype=object)}).tolist()
    [[4.0, 2.0], [9.0, 3.0]]
    """

    def __init__(self, numbers: Sequence[str], categories: Mapping[str, Sequence[str]]) -> None:
        self.numbers = tuple(numbers)
        self.categories = {name: tuple(texts) for name, texts in categories.items()}
        self._codes = [(name, _Codes(texts)) for name, texts in self.categories.items()]
        self._first = next(iter((*self.numbers, *self.categories)), None)

    @property
    def n_columns(self) -> int:
        """Return the number of columns of the matrix."""
        return len(self.numbers) + len(self.categories)

    def pack(self, engineered: Columns) -> npt.NDArray[np.float64]:
        """Return the matrix of shape ``(n_rows, n_columns)``.

        Parameters
        ----------
        engineered
            At least the named columns, arrays of shape ``(n_rows,)``.
        """
        n_rows = 0 if self._first is None else len(engineered[self._first])
        if n_rows == 1:
            row = [engineered[name].item() for name in self.numbers]
            row += [codes[engineered[name].item()] for name, codes in self._codes]
            return np.array(row, _FLOAT)[None]
        matrix = np.empty((n_rows, self.n_columns))
        for place, name in enumerate(self.numbers):
            matrix[:, place] = engineered[name]
        for place, (name, codes) in enumerate(self._codes, start=len(self.numbers)):
            matrix[:, place] = codes.of(engineered[name])
        return matrix

    def to_json(self) -> str:
        """Return what :meth:`from_json` needs."""
        return json.dumps({"numbers": self.numbers, "categories": self.categories})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the packing that :meth:`to_json` described.

        Raises
        ------
        ValueError
            When the text describes none.
        """
        found: Any = json.loads(text)
        if not isinstance(found, dict) or set(found) != {"numbers", "categories"}:
            raise ValueError(f"no description of columns: {text[:100]!r}")
        return cls(found["numbers"], found["categories"])


class _Codes(dict[str | None, float]):
    """The codes of texts, and one code for every text that is not among them."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__({text: float(code) for code, text in enumerate(texts)})
        self._unseen = float(len(texts))
        self[None] = self.get(MISSING_CATEGORY, self._unseen)

    def __missing__(self, text: str | None) -> float:
        return self._unseen

    def of(self, texts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the codes of texts, each looked up once where the array knows its distinct ones."""
        if isinstance(texts, RepeatingTexts) and texts.distinct is not None and texts.codes is not None:
            return self.of(texts.distinct)[texts.codes]
        return np.fromiter(map(self.__getitem__, texts.tolist()), _FLOAT, len(texts))
