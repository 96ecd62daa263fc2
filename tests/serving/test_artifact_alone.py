"""The service in a folder that has nothing but the artifact, as on a platform that starts it."""

import shutil

import pytest

from tests.serving.conftest import FRAMEWORKS
from tests.serving.running import running

COMMAND = ["-m", "ml_project", "serve", "--artifacts.path", "model.zip", "--port", "0"]
APPLICATION = ["-m", "uvicorn", "--factory", "ml_project.web:fastapi_app", "--port", "0"]


@pytest.fixture
def folder(artifact_file, tmp_path):
    shutil.copy(artifact_file, tmp_path / "model.zip")
    return tmp_path


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("workers", [1, 2])
def test_serve_answers_with_nothing_but_the_artifact_and_writes_nothing(folder, pipeline, record, framework, workers):
    words = ["--framework", framework, "--workers", str(workers)]
    with running([*COMMAND, *words], folder=folder) as service:
        answer = service.post("/predict", record)
        assert answer.status == 200
        assert {name: answer.json()[name] for name in ("label", "probas")} == pipeline.predict_record(record)
        assert service.post("/feedback", {"prediction_id": "a", "label": 1}).status == 503
        assert service.get("/docs").status == 200
    assert [file.name for file in folder.iterdir()] == ["model.zip"]


def test_application_answers_with_nothing_but_the_artifact_and_variables(folder, record):
    environment = {"ML_PROJECT_ARTIFACTS__PATH": "model.zip", "ML_PROJECT_SERVING__MODEL_NAME": "titanic"}
    with running(APPLICATION, environment, folder) as service:
        assert service.post("/predict", record).status == 200
        assert service.get("/v2/models/titanic").status == 200


def test_serve_stores_predictions_where_it_is_told_to(folder, record):
    with running([*COMMAND, "--monitoring.storage.url", "sqlite:///here.db"], folder=folder) as service:
        answer = service.post("/predict", record).json()
        content = {"prediction_id": answer["prediction_id"], "label": answer["label"]}
        assert service.post("/feedback", content).status < 300
    assert (folder / "here.db").exists()
