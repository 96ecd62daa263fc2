"""A training run as MLflow records it: the registered model performs as recorded."""

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.metrics import roc_auc_score

from ml_project.modelling.training import train
from ml_project.modelling.training_data import read_dataset


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """Return a folder for a database that all tests of this module share, because its creation takes seconds."""
    return tmp_path_factory.mktemp("tracking")


@pytest.fixture
def trained(make_config, project, tracked):
    config = make_config(
        modelling={"candidates": ("baseline", "linear")},
        tracking={"enabled": True, "tracking_uri": f"sqlite:///{tracked}/mlflow.db"},
    )
    return config, train(config, project)


def test_train_registered_model_reaches_the_recorded_performance(trained, project):
    config, result = trained
    assert result.tracking_problem is None
    client = MlflowClient(config.tracking.tracking_uri)
    recorded = client.get_run(result.tracked.run_id).data.metrics["test_roc_auc"]
    mlflow.set_tracking_uri(config.tracking.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/titanic@champion")
    holdout = read_dataset(config, project).holdout_raw
    predictions = model.predict(holdout[list(result.artifact.pipeline.input_schema.names)])
    assert roc_auc_score(holdout["survived"], predictions["proba_1"]) == pytest.approx(recorded, abs=1e-12)
    pd.testing.assert_frame_equal(predictions, result.artifact.pipeline.predict(holdout), check_exact=True)


def test_train_run_holds_everything_and_a_nested_run_per_trial(trained):
    config, result = trained
    client = MlflowClient(config.tracking.tracking_uri)
    run = client.get_run(result.tracked.run_id)
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    nested = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert run.info.status == "FINISHED"
    assert len(nested) == int(result.leaderboard["n_trials"].sum()) == 3
    assert run.inputs.dataset_inputs[0].dataset.digest == result.artifact.manifest.data_fingerprint[:36]
    assert run.data.tags["winner"] == "linear"
    assert {"config.yaml", "leaderboard.json", "training"} <= files
