"""Rows made up with the distributions, correlations and missing values of a reference, for load tests and demos.

A Gaussian copula: correlated standard normal numbers, one per column and one per column that has missing values, are
turned into the columns' values. Free texts follow no distribution; they come together from a reference row with the
same categories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.copula import Cuts, Floats, latent_correlation
from ml_project.data.raw_schema import RawSchema
from ml_project.data.synthetic_columns import ChosenColumn, DrawnColumn, Missing
from ml_project.data.synthetic_numbering import NumberedColumn
from ml_project.data.synthetic_reference import ReferenceColumn, read_reference
from ml_project.data.synthetic_texts import DonatedTexts

BLOCK_ROWS = 32_768
"""Rows that are made at once; a row depends on nothing but the seed and its number."""


@dataclass(frozen=True)
class RowGenerator:
    """Makes up rows like those of a reference; see :meth:`fit`.

    Attributes
    ----------
    schema
        The columns of the rows.
    drawn, numbered
        What makes a column's values from normal numbers, or from the numbers of the rows.
    missing_above
        Normal number above which the value is missing, by column; columns that always have a value are left out.
    factor
        What correlates independent normal numbers: those of the drawn columns, then those of the missing values; shape
        ``(n_normal, n_normal)``.
    texts
        Free texts, each group from one reference row, with the drawn columns whose categories that row shares.
    """

    schema: RawSchema
    drawn: Mapping[str, DrawnColumn]
    numbered: Mapping[str, NumberedColumn]
    missing_above: Mapping[str, float]
    factor: Floats
    texts: Sequence[tuple[DonatedTexts, Sequence[str]]]

    @classmethod
    def fit(cls, reference: pd.DataFrame, schema: RawSchema, *, correlated: bool = True) -> Self:
        """Return a generator of rows like those of a reference.

        Numbers and moments get the reference's quantiles, categories and missing values its shares, unique columns a
        number. What the schema allows and the reference does not show never appears.

        Parameters
        ----------
        reference
            Coerced raw data that fits the schema, shape ``(n_rows, n_columns)``.
        schema
            The columns of the rows to make.
        correlated
            Whether columns and missing values depend on each other as in the reference.

        Raises
        ------
        InvalidDataError
            When the reference lacks a column, or a unique text cannot be numbered within its pattern.

        Examples
        --------
        >>> from ml_project.data.raw_schema import ColumnRule
        >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="integer"),))
        >>> rows = RowGenerator.fit(pd.DataFrame({"age": [20, 30, 40]}), schema).generate(1000, seed=0)
        >>> sorted(rows["age"].unique().tolist())
        [20, 30, 40]
        """
        columns = read_reference(reference, schema)
        unique = [column for column in columns if column.is_numbered]
        drawn = [column for column in columns if column.is_drawn]
        donated = [column.rule.name for column in columns if not (column.is_numbered or column.is_drawn)]
        incomplete = [column for column in (*drawn, *unique) if column.n_missing]
        missing = {column.rule.name: _missing_cuts(column) for column in incomplete}
        made = {column.rule.name: column.fit() for column in drawn}
        scores = [column.scores() for column in drawn]
        scores += [missing[column.rule.name].scores[(column.codes < 0).astype(np.intp)] for column in incomplete]
        cuts = [*(column.cuts for column in made.values()), *missing.values()]
        return cls(
            schema=schema,
            drawn=made,
            numbered={column.rule.name: NumberedColumn(column.rule, column.values[0]) for column in unique},
            missing_above={name: float(one.thresholds[0]) for name, one in missing.items()},
            factor=np.linalg.cholesky(latent_correlation(scores, cuts)) if correlated else np.eye(len(cuts)),
            texts=_texts_with(reference[donated], drawn) if correlated else _texts_alone(reference[donated]),
        )

    def generate(self, n_rows: int, seed: int, *, first_row: int = 0) -> pd.DataFrame:
        """Return made-up raw data that fits the schema.

        Parameters
        ----------
        n_rows
            Number of rows.
        seed
            Same seed, same rows.
        first_row
            Number of the first row, counted from 0: a table made in parts is the same as one made at once.

        Raises
        ------
        InvalidDataError
            When a unique column has not that many values.
        """
        frames = [self._block(seed, block, part) for block, part in _blocks(first_row, n_rows)]
        return pd.concat(frames, ignore_index=True) if frames else self._block(seed, 0, slice(0, 0))

    def _block(self, seed: int, block: int, part: slice) -> pd.DataFrame:
        """Return some rows of a block of :data:`BLOCK_ROWS`; all of its random numbers are drawn in any case."""
        random = np.random.default_rng([seed, block])
        normal = (self.factor @ random.standard_normal((len(self.factor), BLOCK_ROWS)))[:, part]
        uniform = random.random((len(self.texts), BLOCK_ROWS))[:, part]
        n_drawn, n_rows = len(self.drawn), normal.shape[1]
        missing: dict[str, Missing] = dict.fromkeys(self.schema.names, np.zeros(n_rows, dtype=bool))
        for (name, limit), numbers in zip(self.missing_above.items(), normal[n_drawn:], strict=True):
            missing[name] = numbers > limit
        normal_by_name = dict(zip(self.drawn, normal[:n_drawn], strict=True))
        values: dict[str, Any] = {
            name: column.draw(normal_by_name[name], missing[name]) for name, column in self.drawn.items()
        }
        first = block * BLOCK_ROWS + part.start
        values |= {name: column.draw(first, missing[name]) for name, column in self.numbered.items()}
        for (texts, strata), numbers in zip(self.texts, uniform, strict=True):
            codes = [self._codes(name, normal_by_name[name], missing[name]) for name in strata]
            values |= texts.draw(codes, numbers)
        return pd.DataFrame({name: values[name] for name in self.schema.names}, copy=False)

    def _codes(self, name: str, normal: Floats, missing: Missing) -> npt.NDArray[np.intp]:
        column = self.drawn[name]
        assert isinstance(column, ChosenColumn)  # _donors chose it as one
        return column.codes(normal, missing)


def _blocks(first_row: int, n_rows: int) -> Iterator[tuple[int, slice]]:
    """Yield the blocks that hold some rows, with the part of each."""
    end = first_row + n_rows
    for block in range(first_row // BLOCK_ROWS, -(-end // BLOCK_ROWS)):
        start = block * BLOCK_ROWS
        yield block, slice(max(first_row - start, 0), min(end - start, BLOCK_ROWS))


def _texts_with(texts: pd.DataFrame, drawn: Sequence[ReferenceColumn]) -> list[tuple[DonatedTexts, Sequence[str]]]:
    """Return the source of texts from a row that has the same categories."""
    strata = [column for column in drawn if column.has_few_values]
    codes = [np.where(column.codes < 0, len(column.values), column.codes) for column in strata]
    donors = DonatedTexts(texts, codes, [len(column.values) + 1 for column in strata])
    return [(donors, [column.rule.name for column in strata[: donors.n_categories]])]


def _texts_alone(texts: pd.DataFrame) -> list[tuple[DonatedTexts, Sequence[str]]]:
    """Return a source of texts for each column."""
    return [(DonatedTexts(texts[[name]], (), ()), ()) for name in texts.columns]


def _missing_cuts(column: ReferenceColumn) -> Cuts:
    return Cuts.from_counts(np.array([len(column.codes) - column.n_missing, column.n_missing]))
