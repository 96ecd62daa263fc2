"""A plain function of one row's values as a feature process: the shortest way to an own feature."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns, FeatureKind
from ml_project.data.distinct import RepeatingTexts
from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.plain_arithmetic import compute_arithmetic, is_plain_arithmetic
from ml_project.feature_engineering.process import FeatureProcess, MissingRule, State, is_missing

_FEW_ROWS = 64


class RowFeature[**P, R](FeatureProcess):
    """A feature process around a function; calling it calls the function.

    Parameters
    ----------
    function
        Takes the inputs of one row in the order of ``inputs``; returns a number or a text, or ``None`` for missing.
    name, inputs, kind, missing
        As in :class:`FeatureProcess`.
    """

    def __init__(
        self, function: Callable[P, R], name: str, inputs: tuple[str, ...], kind: FeatureKind, missing: MissingRule
    ) -> None:
        self.function = function
        self.name = name
        self._inputs = inputs
        self.kind = kind
        self.missing = missing
        self._dtype = np.dtype(np.float64 if kind == "number" else object)
        self._is_arithmetic = kind == "number" and is_plain_arithmetic(function)
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of the raw columns that the function takes."""
        return self._inputs

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's result for the values of one row."""
        return self.function(*args, **kwargs)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the function's result for every row; without calling it where a missing input propagates.

        Among many rows, the function is called once for texts that repeat: its result depends on its arguments alone.
        """
        arrays = [columns[column] for column in self._inputs]
        n_rows = len(arrays[0])
        try:
            if n_rows == 1:
                return self._compute_one([array.item() for array in arrays])
            if n_rows <= _FEW_ROWS:
                return self._to_array(self._results([array.tolist() for array in arrays]))
            return self._compute_many(arrays)
        except FeatureError:
            raise
        except Exception as error:
            raise self._failure([array.tolist() for array in arrays], error) from error

    def _compute_one(self, values: list[Any]) -> npt.NDArray[Any]:
        """Return the result for one row, which a service asks for more often than for all else."""
        function: Callable[..., Any] = self.function
        is_missing_anyway = self.missing == "propagates" and _any_missing(values)
        return self._to_array([None if is_missing_anyway else function(*values)])

    def _compute_many(self, arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        first = arrays[0]
        if len(arrays) == 1 and isinstance(first, RepeatingTexts) and first.codes is not None:
            return self._of_repeating_texts(first)
        if all(array.dtype == object for array in arrays):
            return self._to_array(self._results_by_texts([array.tolist() for array in arrays]))
        if self._is_arithmetic and all(array.dtype == np.float64 for array in arrays):
            result = compute_arithmetic(self.function, arrays)
            if result is not None:
                if self.missing == "propagates":
                    result[_missing_in_any(arrays)] = np.nan
                return result
        if self.missing == "propagates":
            return self._results_where_present(arrays)
        return self._call([array.tolist() for array in arrays])

    def _of_repeating_texts(self, texts: RepeatingTexts) -> npt.NDArray[Any]:
        distinct, codes = texts.distinct, texts.codes
        assert distinct is not None
        assert codes is not None
        occurring = np.bincount(codes + 1, minlength=len(distinct))
        used = np.flatnonzero(np.roll(occurring, -1))  # a text that no row has may be one that the function cannot take
        results = np.full(len(distinct), np.nan if self.kind == "number" else None, dtype=self._dtype)
        results[used] = self._to_array(self._results([distinct[used].tolist()]))
        return results[codes] if self.kind == "number" else RepeatingTexts.spread(results, codes)

    def _results(self, rows: list[list[Any]]) -> list[Any]:
        function: Callable[..., Any] = self.function
        if self.missing != "propagates":
            return [function(*row) for row in zip(*rows, strict=True)]
        if len(rows) == 1:
            return [None if value is None or value != value else function(value) for value in rows[0]]  # noqa: PLR0124
        return [None if _any_missing(row) else function(*row) for row in zip(*rows, strict=True)]

    def _results_by_texts(self, rows: list[list[Any]]) -> list[Any]:
        keys = rows[0] if len(rows) == 1 else list(zip(*rows, strict=True))
        distinct = list(set(keys))
        if len(distinct) > len(keys) / 2:
            return self._results(rows)
        by_row = [distinct] if len(rows) == 1 else [list(column) for column in zip(*distinct, strict=True)]
        results = dict(zip(distinct, self._results(by_row), strict=True))
        return list(map(results.__getitem__, keys))

    def _results_where_present(self, arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        present = np.flatnonzero(~_missing_in_any(arrays))
        results = self._call([array[present].tolist() for array in arrays])
        if len(results) == len(arrays[0]):
            return results
        spread = np.full(len(arrays[0]), np.nan if self.kind == "number" else None, dtype=self._dtype)
        spread[present] = results
        return spread

    def _call(self, rows: list[list[Any]]) -> npt.NDArray[Any]:
        return self._to_array(list(map(self.function, *rows)))

    def _failure(self, rows: list[list[Any]], error: Exception) -> FeatureError:
        """Return an error that names the first row with which the function fails."""
        message = (
            f"the function of feature {self.name!r} raised {type(error).__name__}: {error}; let it return None there"
        )
        for position, row in enumerate(zip(*rows, strict=True)):
            try:
                self._results([[value] for value in row])
            except Exception:  # noqa: BLE001  looked for
                values = ", ".join(f"{name} = {value!r}" for name, value in zip(self.inputs, row, strict=True))
                return FeatureError(message, [Problem(f"raised with {values}", self.name, position)])
        return FeatureError(message)

    def parameters(self) -> dict[str, Any]:
        """Return what the decorator declared."""
        return {"name": self.name, "inputs": self.inputs, "kind": self.kind, "missing": self.missing}

    def _to_array(self, results: list[Any]) -> npt.NDArray[Any]:
        if self.kind == "category":
            array = np.empty(len(results), dtype=object)
            array[:] = results
            return array
        try:
            return np.array(results, dtype=np.float64)
        except (TypeError, ValueError) as error:
            found = next(value for value in results if not isinstance(value, (int, float, type(None))))
            raise FeatureError(
                f"feature {self.name!r} is declared as a number, but its function returned {found!r}; "
                "return a number or None, or declare kind='category'"
            ) from error

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle by name, because the decorated name stands for this object and no longer for the function."""
        place: Any = sys.modules.get(self.__module__)
        for part in self.function.__qualname__.split("."):
            place = getattr(place, part, None)
        if place is self and self.__module__ != "__main__":
            return str(self.function.__qualname__)
        return (RowFeature, (self.function, self.name, self.inputs, self.kind, self.missing))


def row_feature[**P, R](
    *, inputs: Iterable[str], kind: FeatureKind, missing: MissingRule, name: str | None = None
) -> Callable[[Callable[P, R]], RowFeature[P, R]]:
    """Turn a function of one row's plain values into a feature process.

    The function's result must depend on its arguments alone: for texts that repeat in a table it is called once.

    Parameters
    ----------
    inputs
        Raw columns whose values the function takes, in its order. Numbers, integers and booleans come as ``float``
        (missing: NaN), categories and texts as ``str`` (missing: ``None``), datetimes as ``datetime.datetime``
        (missing: ``None``).
    kind
        ``"number"`` or ``"category"``.
    missing
        ``"propagates"``: where any input is missing the result is missing and the function is not called, so that it
        needs no thought for missing values; ``"never"``: it gets missing values and always returns a value;
        ``"may"``: it gets missing values and may return ``None``.
    name
        Name of the feature; by default that of the function.

    Raises
    ------
    FeatureError
        When the declaration is wrong.

    Examples
    --------
    >>> @row_feature(inputs=("name",), kind="category", missing="propagates")
    ... def initial(name: str) -> str:
    ...     return name[0]
    >>> initial("Ada")
    'A'
    >>> initial.compute({"name": np.array(["Ada", None], dtype=object)}, {}).tolist()
    ['A', None]
    """
    if isinstance(inputs, str):
        raise FeatureError(f"inputs={inputs!r} is one text; write inputs=({inputs!r},)")
    columns = tuple(inputs)
    if kind not in {"number", "category"}:
        raise FeatureError(f"kind={kind!r} is unknown; choose 'number' or 'category'")
    if missing not in {"propagates", "never", "may"}:
        raise FeatureError(f"missing={missing!r} is unknown; choose 'propagates', 'never' or 'may'")
    if not columns:
        raise FeatureError("inputs is empty; name at least one raw column")
    return lambda function: RowFeature(function, name or function.__name__, columns, kind, missing)


def _any_missing(row: Iterable[Any]) -> bool:
    for value in row:  # noqa: SIM110  a generator takes twice as long
        if value is None or value != value:  # noqa: PLR0124
            return True
    return False


def _missing_in_any(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    return reduce(np.logical_or, map(is_missing, arrays))
