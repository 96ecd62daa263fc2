"""The HTTP contract, asked of real servers: FastAPI under uvicorn and Flask under gunicorn."""

import json
import re
import struct
import uuid

import numpy as np
import pytest

import ml_project
from tests.serving.running import receive_answer, status_of

FORMS = ("dataframe_records", "instances", "inputs")
ROUTES = {
    "/predict": "POST",
    "/invocations": "POST",
    "/endpoints/model/invocations": "POST",
    "/v2/models/model/infer": "POST",
    "/feedback": "POST",
    "/health": "GET, HEAD",
    "/ready": "GET, HEAD",
    "/ping": "GET, HEAD",
    "/version": "GET, HEAD",
    "/schema": "GET, HEAD",
    "/metrics": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
    "/docs": "GET, HEAD",
    "/docs/swagger-ui-bundle.js": "GET, HEAD",
    "/docs/swagger-ui.css": "GET, HEAD",
    "/v2/health/live": "GET, HEAD",
    "/v2/health/ready": "GET, HEAD",
    "/v2": "GET, HEAD",
    "/v2/models/model": "GET, HEAD",
    "/v2/models/model/ready": "GET, HEAD",
}


def without_id(answer):
    assert uuid.UUID(answer["prediction_id"]).version == 7
    return {name: value for name, value in answer.items() if name != "prediction_id"}


def expected(artifact, records):
    """Return what the service answers, but for the identifiers."""
    answers = artifact.pipeline.predict_records(records)
    outliers = artifact.outlier_check.find(artifact.pipeline.score_records(records).records)
    return [
        {**answer, **({"outliers": list(fields)} if fields else {})}
        for answer, fields in zip(answers, outliers, strict=True)
    ]


def check_error(answer, status, code):
    """Check the form of an error's body, and return its message and details."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert list(error) == ["code", "message", "details"]
    assert error["code"] == code
    assert all(list(detail) == ["row", "field", "value", "problem"] for detail in error["details"])
    return error["message"], error["details"]


def test_predict_one_record_is_one_answer(service, artifact, record):
    answer = service.post("/predict", record)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-model-version"] == artifact.model_version
    assert without_id(answer.json()) == expected(artifact, [record])[0]


def test_predict_list_is_a_list_in_order(service, artifact, records):
    batch = records[:50]
    answer = service.post("/predict", batch)
    assert answer.status == 200
    assert list(answer.json()) == ["predictions"]
    assert [without_id(item) for item in answer.json()["predictions"]] == expected(artifact, batch)


def test_predict_list_of_one_is_a_list(service, artifact, record):
    assert [without_id(item) for item in service.post("/predict", [record]).json()["predictions"]] == expected(
        artifact, [record]
    )


def test_predict_empty_list_is_an_empty_list(service):
    answer = service.post("/predict", [])
    assert (answer.status, answer.json()) == (200, {"predictions": []})


def test_predict_record_unlike_training_names_the_outliers(service, artifact, record):
    strange = {**record, "fare": 900.0}
    answer = service.post("/predict", strange).json()
    assert "fare" in answer["outliers"]
    assert without_id(answer) == expected(artifact, [strange])[0]


def test_predict_missing_and_absent_optional_fields_are_the_same(service, record):
    missing = {name: None if name in ("age", "cabin") else value for name, value in record.items()}
    absent = {name: value for name, value in missing.items() if value is not None}
    answers = [without_id(service.post("/predict", given).json()) for given in (missing, absent)]
    assert answers[0] == answers[1]


def test_predict_identifiers_of_a_batch_are_new_and_sorted(service, record):
    ids = [item["prediction_id"] for item in service.post("/predict", [record] * 20).json()["predictions"]]
    assert sorted(set(ids)) == ids


@pytest.mark.parametrize("media_type", ["application/json; charset=UTF-8", "application/vnd.records+json", "", None])
def test_predict_other_names_of_json_are_understood(service, record, media_type):
    headers = {} if media_type is None else {"Content-Type": media_type}
    assert service.ask("POST", "/predict", json.dumps(record).encode(), headers).status == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json"]
)
def test_predict_other_content_type_is_415(service, record, media_type):
    answer = service.ask("POST", "/predict", json.dumps(record).encode(), {"Content-Type": media_type})
    message, _ = check_error(answer, 415, "media_type_unsupported")
    assert repr(media_type) in message


def test_predict_compressed_body_is_415(service):
    message, _ = check_error(service.post("/predict", b"\x1f\x8b", Content_Encoding="gzip"), 415,
                             "media_type_unsupported")  # fmt: skip
    assert "encoding 'gzip'" in message


@pytest.mark.parametrize(
    ("body", "wording"),
    [
        (b"", "The body is empty"),
        (b" \n", "The body is empty"),
        (b"{", "The body is not JSON: EOF"),
        (b'{"age": 1} x', "The body is not JSON: trailing characters at line 1 column 12"),
        (b'{"age": NaN}', "The body is not JSON"),
        (b'{"age": -Infinity}', "The body is not JSON"),
        (b'{"name": "\\ud800"}', "The body is not JSON: unexpected end of hex escape"),
        (b'{"name": "\xff"}', "The body is not JSON: invalid unicode"),
        (b"[" * 100_000, "The body is not JSON: recursion limit exceeded"),
        (b"7", "The body is a number; send one record as a JSON object, or a list of them"),
        (b'"{}"', "The body is a text"),
        (b"null", "The body is null"),
        (b"true", "The body is a truth value"),
    ],
)
def test_predict_no_json_is_400(service, body, wording):
    message, details = check_error(service.post("/predict", body), 400, "not_json")
    assert message.startswith(wording)
    assert details == []


def test_predict_wrong_records_is_422_with_every_problem(service, record):
    batch = [record, {**record, "sex": "f", "fare": "-1", "sibsp": None}, 5]
    _, details = check_error(service.post("/predict", batch), 422, "data_invalid")
    assert details == [
        {"row": 1, "field": "sex", "value": "f", "problem": "must be one of female, male"},
        {"row": 1, "field": "sibsp", "value": None, "problem": "is required"},
        {"row": 1, "field": "fare", "value": "-1", "problem": "must be at least 0"},
        {"row": 2, "field": None, "value": 5, "problem": "is not a JSON object with one value per field"},
    ]


def test_predict_huge_values_are_refused_and_quoted_shortly(service, record):
    wrong = {**record, "age": 10**4000, "name": "x" * 100_000, "fare": {"a": ["b"] * 1000}}
    answer = service.post("/predict", wrong)
    _, details = check_error(answer, 422, "data_invalid")
    assert {detail["field"] for detail in details} == {"age", "name", "fare"}
    assert all(len(detail["value"]) <= 203 for detail in details)


def test_predict_misspelt_field_is_named(service, record):
    wrong = {"Age" if name == "age" else name: value for name, value in record.items()}
    _, details = check_error(service.post("/predict", wrong), 422, "data_invalid")
    assert details[0]["field"] == "age"
    assert "did you mean the field 'Age'" in details[0]["problem"]


def test_predict_name_given_twice_the_last_one_counts(service, record):
    body = json.dumps(record).encode()[:-1] + b', "sex": "male"}'
    assert without_id(service.post("/predict", body).json()) == without_id(
        service.post("/predict", {**record, "sex": "male"}).json()
    )


@pytest.mark.parametrize("form", FORMS)
def test_invocations_lists_of_records_are_predicted(service, artifact, records, form):
    answer = service.post("/invocations", {form: records[:5]})
    assert answer.headers["x-model-version"] == artifact.model_version
    assert [without_id(item) for item in answer.json()["predictions"]] == expected(artifact, records[:5])


def test_invocations_split_frame_is_predicted(service, artifact, records):
    columns = list(records[0])
    content = {"columns": columns, "index": [7, 8], "data": [[row[name] for name in columns] for row in records[:2]]}
    answer = service.post("/invocations", {"dataframe_split": content})
    assert [without_id(item) for item in answer.json()["predictions"]] == expected(artifact, records[:2])


def test_invocations_columns_are_predicted(service, artifact, records):
    content = {name: [row[name] for row in records[:3]] for name in records[0]}
    answer = service.post("/invocations", {"inputs": content, "params": {}})
    assert [without_id(item) for item in answer.json()["predictions"]] == expected(artifact, records[:3])


def test_invocations_nan_is_a_missing_number_and_infinity_none(service, record):
    missing, infinite = ({"instances": [{**record, "age": value}]} for value in (float("nan"), float("inf")))
    absent = service.post("/invocations", {"instances": [{**record, "age": None}]}).json()["predictions"]
    assert without_id(service.post("/invocations", missing).json()["predictions"][0]) == without_id(absent[0])
    _, details = check_error(service.post("/invocations", infinite), 422, "data_invalid")
    assert details == [{"row": 0, "field": "age", "value": "inf", "problem": "must be finite"}]


@pytest.mark.parametrize("media_type", ["text/csv", "text/csv; charset=utf-8; header=present", "Text/CSV"])
def test_invocations_csv_is_predicted(service, artifact, media_type):
    rows = [
        {"pclass": "1", "name": 'Dee, "Ann"', "sex": "female", "age": "", "sibsp": "0", "parch": "1", "fare": "80.5"},
        {"pclass": "3", "name": "Öz, Mr. Al", "sex": "male", "age": "20", "sibsp": "0", "parch": "0", "fare": "7"},
    ]
    body = "\ufeffpclass,name,sex,age,sibsp,parch,fare\r\n" + "".join(
        ",".join('"{}"'.format(value.replace('"', '""')) for value in row.values()) + "\r\n\n" for row in rows
    )
    answer = service.ask("POST", "/invocations", body.encode(), {"Content-Type": media_type})
    assert [without_id(item) for item in answer.json()["predictions"]] == expected(artifact, rows)


def test_invocations_csv_with_a_header_only_is_an_empty_list(service):
    answer = service.ask("POST", "/invocations", b"age,fare\n", {"Content-Type": "text/csv"})
    assert (answer.status, answer.json()) == (200, {"predictions": []})


@pytest.mark.parametrize(
    ("content", "wording"),
    [
        ({}, "exactly one of dataframe_split, dataframe_records, instances, inputs; it is a JSON object without any"),
        ([], "it is a list without any of them"),
        ({"instances": [], "inputs": []}, "it has instances and inputs"),
        ({"instances": {}}, "instances is a JSON object; send a list of records"),
        ({"dataframe_split": {"columns": ["age"]}}, "dataframe_split must be"),
        ({"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}, "row 0 has 2 values for 1 columns"),
        ({"dataframe_split": {"columns": ["age", "age"], "data": []}}, "names a column twice"),
        ({"inputs": {"age": 1}}, "inputs must be"),
        ({"inputs": {"age": [1], "fare": [1, 2]}}, "the columns have between 1 and 2 values"),
    ],
)
def test_invocations_no_known_form_is_400(service, content, wording):
    message, _ = check_error(service.post("/invocations", content), 400, "not_json")
    assert wording in message


@pytest.mark.parametrize(
    ("body", "wording"),
    [
        (b"", "The body is empty"),
        (b"age\n\xff\n", "not CSV in UTF-8"),
        (b'age\n"1\n', "not CSV in UTF-8"),
        (b"age,age\n1,2\n", "names a column twice"),
        (b"age\n1,2\n", "row 0 has 2 values for 1 columns"),
    ],
)
def test_invocations_broken_csv_is_400(service, body, wording):
    answer = service.ask("POST", "/invocations", body, {"Content-Type": "text/csv"})
    assert wording in check_error(answer, 400, "not_json")[0]


@pytest.mark.parametrize("media_type", ["text/csv; header=absent", "text/csv; charset=latin-1", "application/xml"])
def test_invocations_other_content_type_is_415(service, media_type):
    answer = service.ask("POST", "/invocations", b"age\n1\n", {"Content-Type": media_type})
    check_error(answer, 415, "media_type_unsupported")


def test_infer_json_tensors_are_predicted(service, artifact, records):
    answer = service.post("/v2/models/model/infer", {"id": "mine", "inputs": tensors(records[:3])})
    assert answer.headers["x-model-version"] == artifact.model_version
    content = answer.json()
    assert (content["model_name"], content["model_version"], content["id"]) == (
        "model", artifact.model_version, "mine",
    )  # fmt: skip
    ids, label, probas = content["outputs"]
    predicted = artifact.pipeline.predict_records(records[:3])
    assert (ids["name"], ids["datatype"], ids["shape"]) == ("prediction_id", "BYTES", [3])
    assert label == {"name": "label", "datatype": "INT64", "shape": [3], "data": [item["label"] for item in predicted]}
    assert (probas["name"], probas["datatype"], probas["shape"]) == ("probas", "FP64", [3, 2])
    assert probas["data"] == [share for item in predicted for share in item["probas"].values()]


def test_infer_binary_tensors_are_predicted(service, artifact, records):
    rows = [{**row, "age": row["age"] or 30.0, "fare": row["fare"] or 8.0, "cabin": "", "embarked": "S"}
            for row in records[:4]]  # fmt: skip
    inputs, pieces = [], []
    for name in artifact.pipeline.input_schema.names:
        content, datatype = packed([row[name] for row in rows])
        pieces.append(content)
        inputs.append(
            {"name": name, "shape": [4, 1], "datatype": datatype, "parameters": {"binary_data_size": len(content)}}
        )
    head = json.dumps({"inputs": inputs}).encode()
    answer = service.ask(
        "POST",
        "/v2/models/model/infer",
        head + b"".join(pieces),
        {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))},
    )
    assert answer.status == 200
    assert answer.json()["outputs"][1]["data"] == [item["label"] for item in artifact.pipeline.predict_records(rows)]


def test_infer_wanted_outputs_only_are_answered(service, records):
    content = {"inputs": tensors(records[:1]), "outputs": [{"name": "label"}]}
    assert [item["name"] for item in service.post("/v2/models/model/infer", content).json()["outputs"]] == ["label"]


def test_infer_no_rows_has_all_outputs(service, records):
    inputs = [{**tensor, "shape": [0], "data": []} for tensor in tensors(records[:1])]
    outputs = service.post("/v2/models/model/infer", {"inputs": inputs}).json()["outputs"]
    assert [(item["name"], item["shape"], item["data"]) for item in outputs] == [
        ("prediction_id", [0], []), ("label", [0], []), ("probas", [0, 2], []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "wording"),
    [
        ({"inputs": []}, 'with "inputs", a list of tensors'),
        ({"outputs": [{"name": "shap"}]}, "no output 'shap'; outputs are prediction_id, label, probas"),
        ({"outputs": "label"}, '"outputs" must be a list'),
    ],
)
def test_infer_wrong_request_is_400_in_the_protocol(service, records, change, wording):
    answer = service.post("/v2/models/model/infer", {"inputs": tensors(records[:1]), **change})
    assert answer.status == 400
    assert list(answer.json()) == ["error"]
    assert wording in answer.json()["error"]


def test_infer_wrong_values_is_422_in_the_protocol(service, records):
    inputs = [{**tensor, "data": ["f"]} if tensor["name"] == "sex" else tensor for tensor in tensors(records[:1])]
    answer = service.post("/v2/models/model/infer", {"inputs": inputs})
    assert (answer.status, answer.json()) == (
        422,
        {"error": "The input does not fit the schema: row 0, sex = 'f': must be one of female, male"},
    )


def test_infer_nan_is_a_missing_number(service, records):
    for inputs in (tensors([{**records[0], "age": None}]), tensors([{**records[0], "age": float("nan")}])):
        answer = service.post("/v2/models/model/infer", {"inputs": inputs, "outputs": [{"name": "probas"}]})
        assert answer.status == 200
        assert answer.json()["outputs"][0]["shape"] == [1, 2]


def test_protocol_describes_server_and_model(service, artifact):
    assert service.get("/v2").json() == {
        "name": "ml_project", "version": ml_project.__version__, "extensions": ["binary_tensor_data"],
    }  # fmt: skip
    model = service.get("/v2/models/model").json()
    assert (model["name"], model["versions"]) == ("model", [artifact.model_version])
    assert [tensor["name"] for tensor in model["inputs"]] == list(artifact.pipeline.input_schema.names)
    assert {"name": "sex", "datatype": "BYTES", "shape": [-1]} in model["inputs"]
    assert model["outputs"][2]["parameters"] == {"classes": ["0", "1"]}


def test_health_and_readiness_are_said_in_all_forms(service, artifact):
    version = artifact.model_version
    assert service.get("/health").json() == {"status": "alive"}
    for path in ("/ready", "/ping"):
        answer = service.get(path)
        assert (answer.status, answer.headers["x-model-version"]) == (200, version)
        assert answer.json() == {"status": "ready", "model_version": version}
    assert service.get("/v2/health/live").json() == {"live": True}
    assert service.get("/v2/health/ready").json() == {"ready": True}
    assert service.get("/v2/models/model/ready").json() == {"ready": True}


def test_version_names_code_model_and_libraries(service, artifact):
    content = service.get("/version").json()
    assert content["service"] == {"name": "ml_project", "version": ml_project.__version__}
    assert content["model"]["version"] == artifact.model_version
    assert content["model"]["sha256"] == artifact.sha256
    assert content["libraries"]["numpy"] == np.__version__


def test_schema_is_that_of_the_model(service, artifact):
    answer = service.get("/schema")
    assert answer.json() == artifact.pipeline.json_schema()
    assert answer.json()["examples"] == [artifact.example]


def test_metrics_count_requests_predictions_and_outliers(service, artifact, record):
    names = {
        "requests": 'ml_project_requests_total{route="/predict",status="200"}',
        "invalid": "ml_project_invalid_requests_total",
        "unknown": 'ml_project_requests_total{route="unknown",status="404"}',
        "predictions": "ml_project_predictions_total",
        "outliers": 'ml_project_outlying_values_total{field="fare"}',
        "timed": 'ml_project_request_seconds_count{route="/predict"}',
        "feedback": "ml_project_feedback_total",
    }
    before = {name: service.metric(metric) for name, metric in names.items()}
    predictions = service.post("/predict", [{**record, "fare": 950}] * 3).json()["predictions"]
    service.post("/predict", {**record, "sex": "f"})
    service.get("/nowhere/at/all")
    service.post("/feedback", {"prediction_id": predictions[0]["prediction_id"], "label": 1})
    after = {name: service.metric(metric) for name, metric in names.items()}
    assert {name: after[name] - before[name] for name in names} == {
        "requests": 1, "invalid": 1, "unknown": 1, "predictions": 3, "outliers": 3, "timed": 2, "feedback": 1,
    }  # fmt: skip
    answer = service.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert f'model_version="{artifact.model_version}"' in answer.body.decode()
    assert service.metric("ml_project_requests_in_flight") >= 0


def test_feedback_is_accepted_with_the_identifier_as_it_is_stored(service, record):
    prediction_id = service.post("/predict", record).json()["prediction_id"]
    answer = service.post("/feedback", {"prediction_id": prediction_id.upper(), "label": 1})
    assert (answer.status, answer.json()) == (202, {"status": "accepted", "prediction_id": prediction_id})


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({}, ["prediction_id", "label"]),
        ({"prediction_id": "x", "label": 2}, ["prediction_id", "label"]),
        ({"prediction_id": 5, "label": True}, ["prediction_id", "label"]),
        ({"prediction_id": str(uuid.uuid4()), "label": "1"}, ["label"]),
        ({"prediction_id": str(uuid.uuid4()), "label": None}, ["label"]),
    ],
)
def test_feedback_that_cannot_be_is_422(service, content, fields):
    _, details = check_error(service.post("/feedback", content), 422, "data_invalid")
    assert [detail["field"] for detail in details] == fields


def test_feedback_no_object_is_400(service):
    message, _ = check_error(service.post("/feedback", []), 400, "not_json")
    assert message.startswith("The body is a list")


def test_docs_page_needs_nothing_from_elsewhere(service):
    page = service.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    places = re.findall(r'(?:src|href)="([^"]*)"', page.body.decode())
    assert places == ["data:,", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js"]
    for place in places[1:]:
        found = service.get(f"/{place}")
        assert found.status == 200
        assert len(found.body) > 100_000
        assert found.headers["cache-control"] == "public, max-age=86400"


def test_openapi_document_has_every_route_and_the_fields_of_the_model(service, artifact):
    document = service.get("/openapi.json").json()
    shown = {path for path in ROUTES if "docs" not in path and path != "/openapi.json"}
    assert set(document["paths"]) == shown
    schemas = document["components"]["schemas"]
    assert schemas["Record"]["properties"] == artifact.pipeline.json_schema()["properties"]
    assert schemas["Feedback"]["properties"]["label"] == {"enum": [0, 1]}
    example = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert service.post("/predict", example).status == 200


def test_examples_of_the_openapi_document_are_accepted(service):
    for path, operations in service.get("/openapi.json").json()["paths"].items():
        example = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in example:
            assert service.post(path, example["example"]).status == 200


@pytest.mark.parametrize("path", ROUTES)
def test_other_method_is_405_and_says_which_there_are(service, path):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD" if ROUTES[path] == "POST" else "POST"):
        answer = service.ask(method, path)
        assert (answer.status, answer.headers["allow"]) == (405, ROUTES[path])
        if method == "HEAD":
            assert answer.body == b""
        elif path.startswith("/v2"):
            assert "only" in answer.json()["error"]
        else:
            check_error(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", [path for path, methods in ROUTES.items() if "HEAD" in methods])
def test_head_is_get_without_the_body(service, path):
    head, get = service.ask("HEAD", path), service.get(path)
    assert (head.status, head.body) == (200, b"")
    if path != "/metrics":
        assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/predict/", "//predict", "/Predict", "/predict%00", "/%C3%A9%ff", "/metrics/x"])
def test_unknown_path_is_404(service, path):
    for method in ("GET", "POST"):
        message, _ = check_error(service.ask(method, path), 404, "route_unknown")
        assert message.endswith("GET /docs shows those that there are")


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/other/infer", "/v2/models/model/versions/1"])
def test_unknown_model_is_404_in_the_protocol(service, path):
    answer = service.post(path, {})
    assert answer.status == 404
    assert "There is no route" in answer.json()["error"]


def test_query_does_not_count(service, record):
    assert service.post("/predict?explain=true&x=%ff", record).status == 200


@pytest.mark.parametrize("path", ["/predict", "/health", "/nowhere"])
def test_request_id_is_given_back(service, path):
    assert service.get(path, X_Request_Id="order-7:a/b=").headers["x-request-id"] == "order-7:a/b="


@pytest.mark.parametrize("unusable", ["", "two words", "x" * 129, "\u00e9", '"', "<b>"])
def test_request_id_that_cannot_be_used_is_replaced(service, unusable):
    given = {"X-Request-Id": unusable.encode("latin-1")}
    answer = service.ask("GET", "/health", headers=given)
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_request_id_given_twice_is_replaced(service):
    raw = service.send_raw(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: one\r\nX-Request-Id: two\r\n\r\n")
    assert re.search(rb"\r\nx-request-id: [0-9a-f]{16}\r\n", raw, re.IGNORECASE)


def test_request_is_logged_as_json_with_its_id(service, record):
    service.post("/predict", [record] * 2, X_Request_Id="to-be-found")
    line = json.loads(service.wait_for_line("to-be-found"))
    assert (line["severity"], line["message"], line["method"], line["path"]) == ("INFO", "request", "POST", "/predict")
    assert (line["status"], line["n_records"]) == (200, 2)
    assert line["milliseconds"] > 0


def test_connection_is_kept_for_many_requests_whatever_they_are(service, record):
    body = json.dumps(record).encode()
    requests = [
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), 200),
        (b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b" " * 200_000, 405),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    ]
    with service.connect() as connection:
        for content, status in requests * 3:
            connection.sendall(content)
            assert status_of(receive_answer(connection)) == status


def tensors(records):
    return [
        {
            "name": name,
            "shape": [len(records)],
            "datatype": "BYTES" if isinstance(records[0][name], str) else "FP64",
            "data": [record[name] for record in records],
        }
        for name in records[0]
    ]


def packed(values):
    if isinstance(values[0], str):
        return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values), "BYTES"
    if isinstance(values[0], int):
        return np.array(values, "<i4").tobytes(), "INT32"
    return np.array(values, "<f8").tobytes(), "FP64"
