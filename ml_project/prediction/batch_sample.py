"""The rows with known targets against which predictions are evaluated: a random sample where there are many."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn, as_raw
from ml_project.data.raw_schema import ColumnRule
from ml_project.feature_engineering.process import is_missing

if TYPE_CHECKING:
    import pandas as pd

MAX_SAMPLED_ROWS = 50_000
"""At this number the standard error of a share is at most 0.0022, below what matters of a metric."""
_MARGIN = 1.1


def share_to_keep(n_rows: int | None) -> float:
    """Return the share of a table's rows to keep, so that a sample of :data:`MAX_SAMPLED_ROWS` can be drawn of them."""
    return 1.0 if not n_rows else min(1.0, _MARGIN * MAX_SAMPLED_ROWS / n_rows)


@dataclass(frozen=True)
class Sampler:
    """Chooses rows of chunks at random; which ones depends on nothing but the seed and the chunk.

    Attributes
    ----------
    seed
        Start of the random sequences.
    share
        Share of the rows to keep, 0 to 1.
    """

    seed: int
    share: float

    def keep(
        self, number: int, rows: npt.NDArray[np.int64], target: ConvertedColumn, outputs: npt.NDArray[np.float64]
    ) -> bytes:
        """Return the chosen rows of a chunk, among those with a known target, as the content of a file."""
        values = target.spread()
        draws = np.random.default_rng((self.seed, number)).random(len(rows))
        chosen = np.flatnonzero((draws < self.share) & ~is_missing(values))
        texts_or_numbers = values[chosen]
        if values.dtype == object:
            texts_or_numbers = np.array(texts_or_numbers.tolist(), dtype=np.str_)
        stream = io.BytesIO()
        np.savez(stream, draws=draws[chosen], rows=rows[chosen], target=texts_or_numbers, outputs=outputs[chosen])
        return stream.getvalue()


@dataclass(frozen=True)
class Sample:
    """Rows with known targets and what was predicted for them, in the order of the table.

    Attributes
    ----------
    y_true
        The targets as raw data, indexed by row number.
    outputs
        The pipeline's output for these rows.
    is_whole
        Whether these are all rows with known targets.
    """

    y_true: pd.Series[Any]
    outputs: npt.NDArray[np.float64]
    is_whole: bool


def draw_sample(paths: Iterable[Path], rule: ColumnRule, *, keeps_all: bool) -> Sample | None:
    """Return at most :data:`MAX_SAMPLED_ROWS` of the rows that were kept; ``None`` where there are none.

    Parameters
    ----------
    paths
        Files with what :meth:`Sampler.keep` returned.
    rule
        The target's rule.
    keeps_all
        Whether all rows with known targets were kept.
    """
    parts: list[dict[str, npt.NDArray[Any]]] = []
    n_kept = n_loaded = 0
    for path in paths:
        with np.load(path) as kept:
            parts.append(dict(kept))
        n_kept += len(parts[-1]["rows"])
        n_loaded += len(parts[-1]["rows"])
        if n_loaded > 2 * MAX_SAMPLED_ROWS:
            parts, n_loaded = [_fewest_draws(parts)], MAX_SAMPLED_ROWS
    if not n_kept:
        return None
    drawn = _fewest_draws(parts)
    target = drawn["target"].astype(object) if drawn["target"].dtype.kind == "U" else drawn["target"]
    is_whole = keeps_all and n_kept <= MAX_SAMPLED_ROWS
    return Sample(as_raw(target, rule).set_axis(drawn["rows"]), drawn["outputs"], is_whole)


def _fewest_draws(parts: list[dict[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if len(together["rows"]) > MAX_SAMPLED_ROWS:
        chosen = np.sort(np.argpartition(together["draws"], MAX_SAMPLED_ROWS)[:MAX_SAMPLED_ROWS])
        together = {name: values[chosen] for name, values in together.items()}
    return together
