"""The limits of a model that data, split and metrics show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_project.evaluation.findings import Evaluation
from ml_project.evaluation.metrics import greater_is_better
from ml_project.evaluation.plots import number_text

FEW_ROWS, FEW_ROWS_OF_A_CLASS = 500, 30


def find_limits(manifest: Mapping[str, Any], evaluation: Evaluation, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield one sentence per limit.

    Parameters
    ----------
    manifest, evaluation
        As for :func:`ml_project.evaluation.model_card.write_model_card`.
    config
        The resolved config of the training.
    """
    yield from _of_rows(evaluation)
    yield from _of_fit(evaluation)
    strategy = (config.get("splits") or {}).get("strategy")
    if strategy and strategy != "chronological":
        yield (
            f"The {strategy} split mixes earlier and later rows: how the model does on data of a later time is not "
            "measured. Monitor it, or split chronologically."
        )
    yield (
        "The intervals show what the choice of the evaluated rows contributes; another sample for training would move "
        "the values further."
    )
    yield from _of_input(manifest)


def _of_rows(evaluation: Evaluation) -> Iterator[str]:
    name, _ = evaluation.ranking
    interval = evaluation.intervals.get(name)
    if evaluation.n_rows < FEW_ROWS:
        width = f": {name} is known to about ±{number_text((interval.high - interval.low) / 2)}" if interval else ""
        yield f"The holdout is small, {evaluation.n_rows:,} rows{width}."
    for metric, reason in evaluation.missing.items():
        yield f"{metric} could not be measured: {reason}."
    classes = evaluation.tables.get("classes")
    if classes is not None:
        for label, rows in zip(classes["class"], classes["rows"], strict=True):
            if rows < FEW_ROWS_OF_A_CLASS:
                yield f"Only {rows} held-out rows are of class {label}: what is said of it is uncertain."


def _of_fit(evaluation: Evaluation) -> Iterator[str]:
    name, value = evaluation.ranking
    train, interval = evaluation.train_metrics.get(name), evaluation.intervals.get(name)
    if train is None or interval is None:
        return
    outside = train > interval.high if greater_is_better(name) else train < interval.low
    if outside:
        yield (
            f"On training rows {name} is {number_text(train)}, outside the interval around {number_text(value)}: the "
            "model has learned some of its training rows by heart."
        )


def _of_input(manifest: Mapping[str, Any]) -> Iterator[str]:
    columns = (manifest.get("raw_schema") or {}).get("columns") or []
    needed = set((manifest.get("input_schema") or {}).get("properties") or [rule["name"] for rule in columns])
    target = manifest.get("target_column")
    nullable = [rule["name"] for rule in columns if rule.get("nullable") and rule["name"] in needed - {target}]
    if nullable:
        yield (
            f"Missing values are accepted in {', '.join(nullable)}; how often they are missing is checked for tables, "
            "not for single records."
        )
    ranges = [rule["name"] for rule in columns if rule.get("allowed") is None and rule["name"] in needed - {target}]
    if ranges:
        yield (
            f"Values of {', '.join(ranges)} beyond those of the training rows are accepted where the schema allows "
            "them; predictions for them are extrapolated."
        )
