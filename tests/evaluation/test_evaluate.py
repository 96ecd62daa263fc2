"""Tests of the whole evaluation of a pipeline, and of what it writes."""

import json

import numpy as np
import pytest

from ml_project.config import Config
from ml_project.errors import ConfigError, TargetError
from ml_project.evaluation.evaluate import evaluate
from ml_project.evaluation.metrics import METRICS
from ml_project.evaluation.writing import write_evaluation
from tests.evaluation.conftest import CLASSES


def changed(config, **sections):
    dumped = config.model_dump()
    for name, fields in sections.items():
        dumped[name] |= fields
    return Config.model_validate(dumped)


@pytest.mark.parametrize("task", CLASSES)
def test_evaluate_every_task_has_metrics_intervals_tables_and_figures(task, evaluations):
    evaluation = evaluations[task]
    assert set(evaluation.metrics) == set(METRICS[task]) == set(evaluation.train_metrics)
    for name, value in evaluation.metrics.items():
        assert evaluation.intervals[name].low <= value <= evaluation.intervals[name].high
    assert evaluation.ranking[0] == {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
    assert evaluation.ranking[1] == evaluation.metrics[evaluation.ranking[0]]
    assert {"metrics", "target", "features", "permutation_importance", "shap_importance"} <= set(evaluation.tables)
    assert all(image.startswith(b"\x89PNG") for image in evaluation.figures.values())


def test_evaluate_without_explanations_or_training_rows_leaves_them_out(pipelines, raws, quick_config):
    before = raws["binary"].copy()
    evaluation = evaluate(pipelines["binary"], raws["binary"], quick_config)
    assert raws["binary"].equals(before)
    assert evaluation.explanations is None
    assert "shap" not in evaluation.figures
    assert dict(evaluation.train_metrics) == {}


@pytest.mark.parametrize("task", CLASSES)
def test_evaluate_one_row_gives_reasons_and_no_crash(task, pipelines, raws, config):
    evaluation = evaluate(pipelines[task], raws[task].head(1), config)
    assert evaluation.missing
    assert set(evaluation.metrics) | set(evaluation.missing) == set(METRICS[task])
    assert all(np.isnan(interval.low) for interval in evaluation.intervals.values())


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_evaluate_one_class_only_leaves_out_ranking_metric_with_reason(task, pipelines, raws, config):
    raw = raws[task][raws[task]["target"] == CLASSES[task][0]]
    evaluation = evaluate(pipelines[task], raw, changed(config, modelling={"metric": "roc_auc_ovr"}))
    assert np.isnan(evaluation.ranking[1])
    assert "roc_auc_ovr" in evaluation.missing
    assert "permutation_importance" not in evaluation.tables


def test_evaluate_any_scorer_gets_value_and_interval_without_sign(pipelines, raws, quick_config):
    names = {"metric": "neg_mean_squared_error", "further_metrics": ("explained_variance",)}
    wanted = changed(quick_config, modelling=names)
    evaluation = evaluate(pipelines["regression"], raws["regression"], wanted)
    assert evaluation.ranking == ("mean_squared_error", pytest.approx(evaluation.metrics["rmse"] ** 2))
    interval = evaluation.intervals["mean_squared_error"]
    assert 0 < interval.low < evaluation.ranking[1] < interval.high
    assert "explained_variance" in evaluation.metrics


def test_evaluate_scorer_of_other_task_is_refused(pipelines, raws, config):
    with pytest.raises(ConfigError, match="does not fit a binary task"):
        evaluate(pipelines["binary"], raws["binary"], changed(config, modelling={"metric": "r2"}))


def test_evaluate_target_absent_is_refused(pipelines, raws, config):
    with pytest.raises(TargetError, match="'target' is not in the data"):
        evaluate(pipelines["binary"], raws["binary"].drop(columns="target"), config)


def test_write_evaluation_replaces_plots_and_tables_of_another_task(evaluations, tmp_path):
    first = write_evaluation(evaluations["binary"], tmp_path)
    (tmp_path / "plots" / "own.png").write_bytes(b"")
    second = write_evaluation(evaluations["regression"], tmp_path)
    assert not first["plot_roc"].exists()
    assert not first["confusion_matrix"].exists()
    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*second.values(), tmp_path / "plots" / "own.png"}


def test_write_evaluation_json_holds_undefined_metrics_as_reasons(pipelines, raws, quick_config, tmp_path):
    paths = write_evaluation(evaluate(pipelines["binary"], raws["binary"].head(1), quick_config), tmp_path)
    summary = json.loads(paths["metrics_json"].read_text())
    assert summary["not_defined"]["roc_auc"] == "the rows hold one class only"
    assert summary["ranking_value"] is None
    assert summary["test"]["accuracy"]["low"] is None
