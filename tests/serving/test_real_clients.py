"""Clients that others have written, asking the service as they ask the servers that they were written for."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import requests

from tests.serving.running import KEY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    from tritonclient import http as triton
    from tritonclient.utils import InferenceServerException

COLUMNS = {"pclass": "INT64", "name": "BYTES", "sex": "BYTES", "age": "FP64", "sibsp": "INT64", "parch": "INT64",
           "fare": "FP32", "cabin": "BYTES", "embarked": "BYTES"}  # fmt: skip
NUMPY_TYPES = {"INT64": np.int64, "FP64": np.float64, "FP32": np.float32, "BYTES": np.object_}


@pytest.fixture(scope="module")
def frame(records):
    """Some rows, with missing values."""
    return pd.DataFrame(records[::40], columns=list(COLUMNS))


@pytest.fixture(scope="module")
def wanted(pipeline, frame):
    return pipeline.predict_records(json.loads(frame.to_json(orient="records")))


@pytest.fixture
def client(service):
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}") as client:
        yield client


@pytest.fixture
def scoring_client(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns of type hints of its own
        from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    return ScoringServerClient


def without_id(answers):
    return [{name: answer[name] for name in ("label", "probas")} for answer in answers]


def test_mlflow_scoring_client_gets_predictions_of_a_frame(service, scoring_client, frame, wanted):
    client = scoring_client("127.0.0.1", service.port)
    client.ping()
    assert json.loads(client.get_version())["service"]["name"] == "ml_project"
    predictions = client.invoke(frame).get_predictions()
    assert predictions["label"].tolist() == [answer["label"] for answer in wanted]
    assert predictions["probas"].tolist() == [answer["probas"] for answer in wanted]


def test_mlflow_scoring_client_is_told_what_is_wrong(service, scoring_client, frame):
    with pytest.raises(Exception, match=r"Invocation failed \(error code 422.*must be one of female, male"):
        scoring_client("127.0.0.1", service.port).invoke(frame.assign(sex="f"))


def test_mlflow_deployment_client_gets_predictions(service, frame, wanted):
    from mlflow.deployments import get_deploy_client

    records = json.loads(frame.to_json(orient="records"))
    content = get_deploy_client(service.url).predict(endpoint="model", inputs={"dataframe_records": records})
    assert without_id(content["predictions"]) == wanted


def test_requests_sends_frames_as_mlflow_documents_it(service, frame, wanted):
    columns = {"dataframe_split": json.loads(frame.to_json(orient="split"))}
    with requests.Session() as session:
        answer = session.post(f"{service.url}/invocations", json=columns, timeout=30)
        assert without_id(answer.json()["predictions"]) == wanted
        text = frame.to_csv(index=False)
        answer = session.post(f"{service.url}/invocations", data=text, headers={"Content-Type": "text/csv"}, timeout=30)
        assert without_id(answer.json()["predictions"]) == wanted


def test_requests_gets_the_413_of_a_large_body(limited):
    for body in (b" " * 3_000_000, iter([b" " * 100_000] * 30)):
        # Each on a connection of its own: a server may close one on which it has not read all.
        with requests.Session() as session:
            answer = session.post(f"{limited.url}/predict", data=body, headers={"X-API-Key": KEY}, timeout=30)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_triton_client_finds_server_and_model(client, artifact):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("model")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata()["name"] == "ml_project"
    metadata = client.get_model_metadata("model")
    assert metadata["versions"] == [artifact.model_version]
    assert {tensor["name"]: tensor["datatype"] for tensor in metadata["inputs"]} == {**COLUMNS, "fare": "FP64"}


def tensors(frame, *, is_binary):
    """Return the columns as a user of the client makes them of a frame."""
    for name, datatype in COLUMNS.items():
        column = frame[name].fillna("") if datatype == "BYTES" else frame[name]
        values = column.to_numpy(NUMPY_TYPES[datatype]).reshape(-1, 1)
        tensor = triton.InferInput(name, list(values.shape), datatype)
        tensor.set_data_from_numpy(values, binary_data=is_binary)
        yield tensor


@pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "json"])
def test_triton_client_gets_predictions_of_tensors(client, pipeline, frame, is_binary):
    rows = frame.dropna(subset=["age", "fare"])  # its JSON has no way to say that a number is missing
    rounded = rows.assign(fare=rows["fare"].astype(np.float32).astype(float))
    wanted = pipeline.predict_records(json.loads(rounded.to_json(orient="records", double_precision=15)))
    answer = client.infer("model", list(tensors(rows, is_binary=is_binary)), request_id="mine")
    assert answer.get_response()["id"] == "mine"
    assert answer.as_numpy("label").tolist() == [item["label"] for item in wanted]
    shares = answer.as_numpy("probas")
    assert (shares.dtype, shares.shape) == (np.float64, (len(rows), 2))
    assert shares.tolist() == [list(item["probas"].values()) for item in wanted]
    assert len(set(answer.as_numpy("prediction_id").tolist())) == len(rows)


def test_triton_client_sends_missing_numbers_as_nan(client, frame, wanted):
    answer = client.infer("model", list(tensors(frame, is_binary=True)))
    labels = [item["label"] for item in wanted]
    assert answer.as_numpy("label").tolist() == labels


def test_triton_client_gets_the_outputs_that_it_wants(client, frame):
    outputs = [triton.InferRequestedOutput("label", binary_data=True)]
    answer = client.infer("model", list(tensors(frame, is_binary=True)), outputs=outputs)
    assert answer.as_numpy("probas") is None
    assert answer.as_numpy("label").shape == (len(frame),)


def test_triton_client_is_told_what_is_wrong(client, frame):
    with pytest.raises(InferenceServerException, match="row 0, sex = 'f': must be one of female, male"):
        client.infer("model", list(tensors(frame.assign(sex="f").head(1), is_binary=True)))


def test_triton_client_that_compresses_is_told_to_stop(client, frame):
    with pytest.raises(InferenceServerException, match="content encoding 'gzip' is unknown"):
        client.infer("model", list(tensors(frame, is_binary=True)), request_compression_algorithm="gzip")
