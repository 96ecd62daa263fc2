"""Predictions with identifiers, outliers, storage and metrics, without a protocol; and their description."""

import time
import uuid
from concurrent.futures import Future

import pytest

from ml_project.artifacts.loading import load_artifact
from ml_project.config_service import StorageConfig
from ml_project.errors import BatchTooLargeError, InvalidDataError, NotReadyError, StorageOffError
from ml_project.monitoring.storage import PredictionStorage, read_predictions
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.model_host import ModelHost
from ml_project.serving.openapi import describe_service
from ml_project.serving.service import PredictionService
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES

IDENTIFIER = "01A1FE6F-E908-7240-9c0c-d2559bf2adc5"


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """A model that predicts numbers."""
    model = fit("linear", target="fare")
    path = model.export(tmp_path_factory.mktemp("regression") / "model.zip", config=model.with_engine("onnx"))
    return load_artifact(path, FEATURE_PROCESSES)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/predictions.db"


@pytest.fixture
def make(artifact_file, url):
    """Return a function that gives a service with a model and storage, or without."""
    services = []

    def build(model=True, *, has_storage=True, max_batch_rows=100, **settings):
        host = ModelHost(artifact_file, FEATURE_PROCESSES)
        if model is True:
            host.load()
        else:
            host.current = model
        metrics = ServiceMetrics()
        storage = PredictionStorage(StorageConfig(url=url, **settings)) if has_storage else None
        services.append(PredictionService(host, storage=storage, metrics=metrics, max_batch_rows=max_batch_rows))
        return services[-1]

    yield build
    for service in services:
        service.close()


def count(service, name):
    return service.metrics.registry.get_sample_value(name) or 0


def test_predict_answers_have_identifiers_in_front(make, record):
    served = make().predict([record, record])
    assert [list(answer)[:3] for answer in served.answers] == [["prediction_id", "label", "probas"]] * 2
    assert len({uuid.UUID(answer["prediction_id"]) for answer in served.answers}) == 2


def test_predict_is_stored_as_it_was_answered(make, url, record):
    service = make()
    before = time.time()
    served = service.predict([{**record, "fare": 900.0}], request_id="mine")
    assert served.stored is None
    service.close()
    (row,) = read_predictions(url).to_dict("records")
    assert (row["prediction_id"], row["request_id"]) == (served.answers[0]["prediction_id"], "mine")
    assert row["model_version"] == served.model.model_version
    assert before - 1 <= row["created_at"].timestamp() <= time.time() + 1
    assert 0 < row["latency_seconds"] < 10
    assert (row["record.fare"], row["record.sex"]) == (900.0, record["sex"])
    assert row["output.label"] == served.answers[0]["label"]
    assert "fare" in row["outliers"]


def test_predict_identifier_of_a_record_is_stored_with_it(make, url, record):
    service = make()
    service.predict([{**record, "passenger_id": 7}, record])
    service.close()
    assert read_predictions(url)["record.passenger_id"].isna().tolist() == [False, True]


def test_predict_durable_gives_what_ends_with_the_commit(make, url, record):
    served = make(durable=True).predict([record])
    assert isinstance(served.stored, Future)
    served.stored.result(timeout=10)
    assert len(read_predictions(url)) == 1


def test_predict_nothing_stores_nothing(make, url):
    service = make(durable=True)
    served = service.predict([])
    assert (served.answers, served.stored) == ([], None)


def test_predict_invalid_records_are_counted_and_not_stored(make, record):
    service = make()
    with pytest.raises(InvalidDataError):
        service.predict([record, {}])
    assert count(service, "ml_project_invalid_requests_total") == 1
    assert service.storage.n_pending + service.storage.n_written == 0


def test_predict_too_many_is_refused_before_they_are_looked_at(make):
    with pytest.raises(BatchTooLargeError, match="101 records at once are too many; send at most 100"):
        make().predict([None] * 101)


def test_predict_without_model_is_refused(make, record):
    with pytest.raises(NotReadyError, match="No model is loaded yet; try again when GET /ready answers 200"):
        make(None).predict([record])


def test_predict_without_storage_answers_all_the_same(make, record):
    assert make(has_storage=False).predict([record]).stored is None


def test_predict_does_not_change_what_it_was_given(make, record):
    given = {**record, "age": " 30 "}
    copy = dict(given)
    make().predict([given])
    assert given == copy


def test_take_feedback_is_stored_in_the_canonical_form(make, url, record):
    service = make()
    prediction_id = service.predict([record]).answers[0]["prediction_id"]
    assert service.take_feedback(f"urn:uuid:{prediction_id.upper()}", 1.0) == (prediction_id, None)
    service.close()
    (row,) = read_predictions(url).to_dict("records")
    assert row["label"] == 1
    assert count(service, "ml_project_feedback_total") == 1


@pytest.mark.parametrize(
    ("prediction_id", "label", "fields"),
    [
        ("", 1, ["prediction_id"]),
        (None, 1, ["prediction_id"]),
        (["a"], 1, ["prediction_id"]),
        (IDENTIFIER + "0", 1, ["prediction_id"]),
        (IDENTIFIER, 2, ["label"]),
        (IDENTIFIER, True, ["label"]),
        (IDENTIFIER, "1", ["label"]),
        (IDENTIFIER, float("nan"), ["label"]),
        (5, {}, ["prediction_id", "label"]),
    ],
)
def test_take_feedback_that_cannot_be_is_refused(make, prediction_id, label, fields):
    with pytest.raises(InvalidDataError) as caught:
        make().take_feedback(prediction_id, label)
    assert [problem.field for problem in caught.value.problems] == fields


def test_take_feedback_of_a_regression_is_a_number(make, regression):
    service = make(regression)
    assert service.take_feedback(IDENTIFIER, 7) == (IDENTIFIER.lower(), None)
    for label in (True, "7", None, 10**400):
        with pytest.raises(InvalidDataError, match=r"label.*must be a number"):
            service.take_feedback(IDENTIFIER, label)


def test_take_feedback_without_storage_says_that_it_is_off(make):
    with pytest.raises(StorageOffError, match="this service stores no predictions"):
        make(has_storage=False).take_feedback(IDENTIFIER, 1)


def test_predict_regression_has_a_value_and_no_label(make, regression):
    service = make(regression)
    (answer,) = service.predict([regression.example]).answers
    assert set(answer) - {"outliers"} == {"prediction_id", "value"}
    assert answer["value"] == regression.pipeline.predict_record(regression.example)["value"]
    assert count(service, "ml_project_predictions_total") == 0
    assert b'ml_project_predictions_total{label="",model_version="' in service.metrics.exposition()


def describe(model, **settings):
    return describe_service(model, **{"model_name": "model", "has_key": False, **settings})


def test_describe_service_shows_the_model(artifact):
    document = describe(artifact, model_name="titanic")
    assert artifact.model_version in document["info"]["description"]
    assert "/v2/models/titanic/infer" in document["paths"]
    schemas = document["components"]["schemas"]
    assert schemas["Record"]["properties"]["pclass"]["enum"] == [1, 2, 3]
    assert schemas["Prediction"]["properties"]["label"] == {"enum": [0, 1]}
    assert schemas["Prediction"]["properties"]["probas"]["required"] == ["0", "1"]
    assert "security" not in document


def test_describe_service_regression_has_values(regression):
    schemas = describe(regression)["components"]["schemas"]
    assert schemas["Prediction"]["required"] == ["prediction_id", "value"]
    assert schemas["Feedback"]["properties"]["label"] == {"type": "number"}
    assert "fare" not in schemas["Record"]["properties"]


def test_describe_service_without_model_is_complete():
    document = describe(None)
    assert document["components"]["schemas"]["Record"] == {"type": "object"}
    assert "no model yet" in document["info"]["description"]


def test_describe_service_with_key_names_what_is_open():
    document = describe(None, has_key=True, open_paths=["/health", "/docs"])
    assert document["security"] == [{"key": []}, {"bearer": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert "security" not in document["paths"]["/version"]["get"]


def test_describe_service_references_lead_somewhere(artifact):
    text = repr(describe(artifact))
    named = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert named == set(describe(artifact)["components"]["schemas"])
