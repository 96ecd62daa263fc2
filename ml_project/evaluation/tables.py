"""Tables of an evaluation: metrics with intervals, the target's distribution, confusion, the features."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml_project.evaluation import formulas
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.metrics import Interval, greater_is_better

if TYPE_CHECKING:
    from ml_project.prediction.pipeline import PredictionPipeline

_UNKNOWN = Interval(float("nan"), float("nan"))
_QUANTILES = {"minimum": 0.0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "maximum": 1.0}


def make_tables(evaluation: Evaluation, outcome: Outcome, train: Outcome | None) -> dict[str, pd.DataFrame]:
    """Return all tables that need no pipeline, by name."""
    made = {"metrics": metrics_table(evaluation), "target": _target_table(evaluation, outcome, train)}
    if evaluation.classes is None:
        return made
    counts = confusion_counts(evaluation, outcome)
    names = [str(value) for value in evaluation.classes]
    frame = pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=[f"predicted {name}" for name in names])
    return made | {"confusion_matrix": frame.reset_index(), "classes": _class_table(counts, names)}


def confusion_counts(evaluation: Evaluation, outcome: Outcome) -> Any:
    """Return the confusion matrix of shape ``(n_classes, n_classes)``, truth in rows."""
    labels = outcome.outputs.argmax(axis=1).astype(np.int64)
    once = np.ones((1, len(labels)))
    return formulas.confusion(outcome.y_true, labels, len(evaluation.classes or ()), once)[0].astype(np.int64)


def metrics_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return one row per metric: ``metric``, ``test``, ``low``, ``high``, ``train``, ``better``, ``note``."""
    names = [*evaluation.metrics, *evaluation.missing]
    intervals = [evaluation.intervals.get(name, _UNKNOWN) for name in names]
    return pd.DataFrame(
        {
            "metric": names,
            "test": [evaluation.metrics.get(name, np.nan) for name in names],
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "train": [evaluation.train_metrics.get(name, np.nan) for name in names],
            "better": ["more" if greater_is_better(name) else "less" for name in names],
            "note": [evaluation.missing.get(name, "") for name in names],
        }
    )


def describe_features(pipeline: PredictionPipeline) -> pd.DataFrame:
    """Return one row per feature: ``feature``, ``kind``, ``inputs`` and ``description``."""
    features, rule = pipeline.features, pipeline.raw_schema.rule
    rows = [(name, features.kinds[name], name, rule(name).description or "") for name in features.columns]
    rows += [(each.name, each.kind, ", ".join(each.inputs), _summary(each)) for each in features.processes]
    return pd.DataFrame(rows, columns=["feature", "kind", "inputs", "description"])


def _summary(process: object) -> str:
    """Return the first paragraph of a docstring as the description of a result."""
    paragraph = (inspect.getdoc(process) or "").strip().split("\n\n")[0].replace("``", "")
    text = " ".join(paragraph.split()).removeprefix("Return ")
    return text[:1].upper() + text[1:]


def _target_table(evaluation: Evaluation, outcome: Outcome, train: Outcome | None) -> pd.DataFrame:
    parts = {"test": outcome.y_true} | ({} if train is None else {"train": train.y_true})
    if evaluation.classes is None:
        columns = {part: np.quantile(values, list(_QUANTILES.values())) for part, values in parts.items()}
        return pd.DataFrame({"quantile": list(_QUANTILES), **columns})
    table = pd.DataFrame({"class": [str(value) for value in evaluation.classes]})
    for part, codes in parts.items():
        counts = np.bincount(codes, minlength=len(table))
        table[f"{part}_rows"], table[f"{part}_share"] = counts, counts / counts.sum()
    return table


def _class_table(counts: Any, names: list[str]) -> pd.DataFrame:
    """Return precision, recall and F1 of each class; NaN where they are not defined."""
    hits, truths, labelled = np.diag(counts).astype(np.float64), counts.sum(axis=1), counts.sum(axis=0)
    columns = {
        "precision": formulas.divide(hits, labelled),
        "recall": formulas.divide(hits, truths),
        "f1": formulas.divide(2 * hits, truths + labelled),
    }
    return pd.DataFrame({"class": names, "rows": truths, **columns})
