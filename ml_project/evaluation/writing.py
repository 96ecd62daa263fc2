"""An evaluation on disk: metrics, tables and plots, each file replaced as a whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_project.evaluation.figures import FIGURES
from ml_project.evaluation.findings import Evaluation
from ml_project.evaluation.metrics import Interval
from ml_project.safe_file import replace_file

PLOTS = "plots"
_TABLES = ("metrics", "target", "classes", "confusion_matrix", "features", "permutation_importance", "shap_importance")


def write_evaluation(evaluation: Evaluation, directory: Path) -> dict[str, Path]:
    """Write metrics, tables and plots, and remove those of an earlier evaluation that this one does not have.

    Parameters
    ----------
    evaluation
        What was found.
    directory
        Folder for ``metrics.json``, one CSV file per table, and ``plots/`` with PNG files.

    Returns
    -------
    dict
        Paths: ``metrics_json``, ``<table>`` and ``plot_<figure>``.
    """
    contents = {"metrics_json": ("metrics.json", _to_json(evaluation))}
    for name, table in evaluation.tables.items():
        contents[name] = (f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
    for name, image in evaluation.figures.items():
        contents[f"plot_{name}"] = (f"{PLOTS}/{name}.png", image)
    paths = {key: directory / name for key, (name, _) in contents.items()}
    for key, path in paths.items():
        replace_file(path, contents[key][1])
    known = [directory / f"{name}.csv" for name in _TABLES] + [directory / PLOTS / f"{name}.png" for name in FIGURES]
    for path in set(known) - set(paths.values()):
        path.unlink(missing_ok=True)
    return paths


def to_summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return the numbers of an evaluation as JSON can hold them."""
    name, value = evaluation.ranking
    return {
        "task": evaluation.task,
        "target": evaluation.target,
        "n_rows": evaluation.n_rows,
        "n_train_rows": evaluation.n_train_rows,
        "ranking_metric": name,
        "ranking_value": value if math.isfinite(value) else None,
        "confidence_level": evaluation.level,
        "test": {
            metric: {"value": measured, **_ends(evaluation.intervals, metric)}
            for metric, measured in evaluation.metrics.items()
        },
        "train": dict(evaluation.train_metrics),
        "not_defined": dict(evaluation.missing),
    }


def _to_json(evaluation: Evaluation) -> bytes:
    return (json.dumps(to_summary(evaluation), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _ends(intervals: Mapping[str, Interval], metric: str) -> dict[str, float | None]:
    interval = intervals.get(metric)
    if interval is None or not math.isfinite(interval.low):
        return {"low": None, "high": None}
    return {"low": interval.low, "high": interval.high}
