"""The training run from data to exported model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from ml_project.artifacts.loading import load_artifact
from ml_project.data.raw_schema import RawSchema
from ml_project.data.retrieval import read_historic
from ml_project.errors import ConfigError, ModellingError, TargetError
from ml_project.evaluation.scored import evaluate_scored
from ml_project.modelling.candidate_runs import run_candidates
from ml_project.modelling.candidates import FitSettings, select_candidates
from ml_project.modelling.estimators import build_estimator
from ml_project.modelling.evaluating import evaluate_artifact
from ml_project.modelling.training import check_plan, train
from ml_project.modelling.training_data import make_training_data, read_dataset
from ml_project.prediction.batch import score_table
from tests.modelling.conftest import FAILING


@pytest.fixture
def trained(make_config, project):
    config = make_config()
    return config, train(config, project)


def test_train_metrics_are_those_of_the_exported_file(trained, project):
    config, result = trained
    artifact = load_artifact(config.artifacts.path, project.processes)
    holdout = read_dataset(config, project).holdout_raw
    probabilities = artifact.pipeline.predict(holdout)["proba_1"]
    assert roc_auc_score(holdout["survived"], probabilities) == pytest.approx(result.evaluation.metrics["roc_auc"])
    assert artifact.manifest.metrics["roc_auc"] == result.evaluation.metrics["roc_auc"]
    assert 0.8 < result.evaluation.metrics["roc_auc"] < 0.95
    assert artifact.manifest.config["splits"]["n_folds"] == config.splits.n_folds


def test_train_leaderboard_is_ordered_saved_and_repeatable(trained, make_config, project):
    config, result = trained
    scores = ["candidate", "mean", "std", "parameters", "n_trials"]
    assert result.leaderboard["mean"].is_monotonic_decreasing
    assert set(result.leaderboard["candidate"]) == {"baseline", "linear", "decision_tree"}
    saved = pd.read_csv(config.evaluation.directory / "training" / "leaderboard.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(saved[scores], result.leaderboard[scores])
    again = train(config, project)
    pd.testing.assert_frame_equal(again.leaderboard[scores], result.leaderboard[scores])
    holdout = read_dataset(config, project).holdout_raw
    predictions = [run.artifact.pipeline.predict(holdout) for run in (result, again)]
    pd.testing.assert_frame_equal(*predictions, check_exact=True)


def test_evaluate_artifact_on_the_training_data_uses_the_holdout_only(trained, project):
    config, result = trained
    evaluated = evaluate_artifact(config, project)
    assert evaluated.rows_evaluated == "Holdout of the training (262 rows)"
    assert evaluated.evaluation.metrics == result.evaluation.metrics


def test_evaluate_artifact_on_other_data_uses_every_row(trained, tmp_path, project):
    config, _ = trained
    table = pd.read_parquet(config.data.source).head(400)
    table.to_csv(tmp_path / "other.csv", index=False)
    data = config.data.model_copy(update={"source": str(tmp_path / "other.csv")})
    evaluated = evaluate_artifact(config.model_copy(update={"data": data}), project)
    assert evaluated.rows_evaluated == "All 400 rows (other data than the training's)"


def test_train_rows_without_target_left_out_count_nowhere(make_config, tmp_path, project, titanic_raw):
    table = titanic_raw.astype({"survived": "float64"})
    table.loc[::3, "survived"] = np.nan
    table.to_parquet(tmp_path / "gaps.parquet")
    rules = {rule.name: rule for rule in project.schema.columns}
    rules["survived"] = rules["survived"].model_copy(update={"nullable": True})
    with_gaps = replace(project, schema=RawSchema(columns=tuple(rules.values())))
    config = make_config(data={"source": str(tmp_path / "gaps.parquet"), "rows_without_target": "leave_out"})

    result = train(config, with_gaps)

    n_known = int(table["survived"].notna().sum())
    dataset = read_dataset(config, with_gaps)
    assert len(dataset.training_rows) + len(dataset.holdout_rows) == n_known
    assert result.artifact.manifest.classes == (0, 1)
    assert all(isinstance(one, int) for one in result.artifact.manifest.classes)
    assert evaluate_artifact(config, with_gaps).rows_evaluated == (
        f"Holdout of the training ({len(dataset.holdout_rows)} rows)"
    )
    refusing = config.data.model_copy(update={"rows_without_target": "refuse"})
    with pytest.raises(TargetError, match=r"data\.rows_without_target"):
        read_dataset(config.model_copy(update={"data": refusing}), with_gaps)


def test_score_table_predictions_are_those_of_the_pipeline(trained, project):
    config, result = trained
    scored = score_table(result.artifact, config)
    written = pd.read_csv(scored.paths["predictions"], float_precision="round_trip")
    raw = read_historic(config.data, result.artifact.manifest.raw_schema)
    expected = result.artifact.pipeline.predict(raw)
    assert written["passenger_id"].tolist() == raw["passenger_id"].tolist()
    pd.testing.assert_frame_equal(written[list(expected.columns)], expected, check_exact=True)
    assert evaluate_scored(result.artifact.pipeline, scored.sample, config).n_rows == 1309


def test_run_candidates_whole_pipeline_is_fitted_on_the_folds_rows_only(make_config, project):
    """The cross-validated score equals that of a pipeline that has never seen the scored rows."""
    config = make_config(modelling={"candidates": ("linear",), "n_hyperparameter_optimisation_runs": 1})
    dataset = read_dataset(config, project)
    data = make_training_data(dataset, config, project)
    (entry,) = run_candidates(select_candidates(project.candidates, ("linear",)), config, project, dataset, data)
    estimator = build_estimator(project.candidates[2], {"C": 1.0}, config, project, FitSettings("binary"))
    for (fit_rows, score_rows), score in zip(data.folds, entry.best.scores("roc_auc"), strict=True):
        fitted = clone(estimator).fit(data.raw.iloc[fit_rows].copy(), data.target[fit_rows])
        probabilities = fitted.predict_proba(data.raw.iloc[score_rows])[:, 1]
        assert roc_auc_score(data.target[score_rows], probabilities) == pytest.approx(score, abs=1e-12)


def test_train_failing_candidate_is_shown_and_stops_nothing(make_config, project):
    config = make_config(modelling={"candidates": ("failing", "linear")})
    result = train(config, replace(project, candidates=(*project.candidates, FAILING)))
    failed = result.leaderboard.set_index("candidate").loc["failing"]
    assert (failed["status"], failed["reason"]) == ("failed", "ValueError: this data is too hard")
    assert result.artifact.manifest.name == "linear"


def test_train_every_candidate_failing_keeps_the_old_artifact(trained, project):
    config, result = trained
    modelling = config.modelling.model_copy(update={"candidates": ("failing",)})
    with pytest.raises(ModellingError, match="failing: ValueError: this data is too hard"):
        train(config.model_copy(update={"modelling": modelling}), replace(project, candidates=(FAILING,)))
    assert load_artifact(config.artifacts.path, project.processes).model_version == result.artifact.model_version


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"modelling": {"candidates": ("lienar",)}}, "did you mean 'linear'"),
        ({"modelling": {"metric": "roc_acu"}}, "did you mean 'roc_auc"),
        ({"features": {"columns": ("agee",)}}, "agee"),
        ({"data": {"target_column": "surived"}}, "surived"),
        ({"splits": {"strategy": "grouped", "group_column": "family"}}, "family"),
        ({"compute": {"device": "gpu"}}, "no GPU"),
    ],
)
def test_check_plan_unknown_name_is_refused_before_data_is_read(make_config, project, sections, message):
    config = make_config(**sections)
    missing = config.model_copy(update={"data": config.data.model_copy(update={"source": "no_such_file.csv"})})
    with pytest.raises(ConfigError, match=message):
        check_plan(missing, project)


@pytest.mark.parametrize(
    ("target", "task", "metric"), [("fare", "regression", "rmse"), ("pclass", "multiclass", "log_loss")]
)
def test_train_other_tasks_beat_the_baseline(make_config, tmp_path, project, target, task, metric):
    table = pd.read_parquet(make_config().data.source).dropna(subset=["fare"])
    table.to_parquet(tmp_path / "known_fares.parquet")
    config = make_config(
        data={"source": str(tmp_path / "known_fares.parquet"), "target_column": target},
        features={"columns": ("sex", "age", "sibsp", "parch", "embarked"), "processes": ("title", "deck")},
        modelling={"candidates": ("baseline", "decision_tree")},
    )
    result = train(config, project)
    assert result.artifact.manifest.task == task
    assert result.artifact.manifest.name == "decision_tree"
    assert result.evaluation.ranking[0] == metric
    assert set(result.artifact.pipeline.predict_record(result.artifact.example)) == (
        {"value"} if task == "regression" else {"label", "probas"}
    )


def test_train_class_with_fewer_rows_than_folds_is_named(make_config, tmp_path, project):
    table = pd.read_parquet(make_config().data.source).iloc[:100]
    table = table.assign(survived=[1] * 3 + [0] * 97)
    table.to_parquet(tmp_path / "rare.parquet")
    config = make_config(data={"source": str(tmp_path / "rare.parquet"), "batch_expectations": "warn"})
    with pytest.raises(TargetError, match="survived"):
        train(config, project)
