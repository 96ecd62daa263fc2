"""The Open Inference Protocol: tensors in JSON and behind it, one per column."""

import json
import struct

import numpy as np
import pytest

from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import BatchTooLargeError, NotJsonError
from ml_project.serving.codecs.open_inference import (
    InferenceRequest,
    describe_model,
    from_answers,
    label_type,
    output_names,
    read_request,
)
from ml_project.serving.messages import HttpRequest

ALL = InferenceRequest(records=(), identifier=None, outputs=None)
VERSION = {"model_name": "model", "model_version": "v1"}


def read(content, binary=b"", length=None, **settings):
    head = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {} if length is None and not binary else {"inference-header-content-length": str(length or len(head))}
    request = HttpRequest("POST", "/v2/models/model/infer", headers, head + binary)
    return read_request(request, **{"is_classification": True, "max_records": 100, **settings})


def tensor(name="age", shape=(1,), datatype="FP64", **further):
    return {"name": name, "shape": list(shape), "datatype": datatype, **further}


def packed(content, **settings):
    return read({"inputs": [tensor(parameters={"binary_data_size": len(content)}, **settings)]}, content)


def test_read_request_columns_become_records():
    asked = read(
        {"id": "7", "inputs": [tensor(shape=[2], data=[1.5, None]), tensor("sex", [2, 1], "BYTES", data=["m", "f"])]}
    )
    assert asked == InferenceRequest([{"age": 1.5, "sex": "m"}, {"age": None, "sex": "f"}], "7", None)


def test_read_request_nested_data_is_flattened():
    assert read({"inputs": [tensor(shape=[2, 1], data=[[1], [2]])]}).records == [{"age": 1}, {"age": 2}]


def test_read_request_identifier_that_is_no_text_is_ignored():
    assert read({"id": 7, "inputs": [tensor(data=[1])]}).identifier is None


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8"), ("INT8", "<i1"), ("INT16", "<i2"), ("INT32", "<i4"),
     ("INT64", "<i8"), ("UINT8", "<u1"), ("UINT16", "<u2"), ("UINT32", "<u4"), ("UINT64", "<u8"), ("BOOL", "?")],
)  # fmt: skip
def test_read_request_binary_numbers_of_every_type(datatype, dtype):
    content = np.array([0, 1, 1], dtype).tobytes()
    records = packed(content, shape=[3], datatype=datatype).records
    assert [record["age"] for record in records] == [0, 1, 1]
    assert {type(record["age"]) for record in records} == {type(np.dtype(dtype).type(0).item())}


def test_read_request_binary_texts():
    texts = ["", "é", "a\x00b"]
    content = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    assert [record["age"] for record in packed(content, shape=[3], datatype="BYTES").records] == texts


def test_read_request_binary_and_json_tensors_may_be_mixed():
    content = struct.pack("<d", 2.5)
    inputs = [
        tensor("sex", datatype="BYTES", data=["m"]),
        tensor(parameters={"binary_data_size": 8}),
        tensor("x", data=[1]),
    ]
    assert read({"inputs": inputs}, content).records == [{"sex": "m", "age": 2.5, "x": 1}]


def test_read_request_binary_nothing_is_nothing():
    assert read({"inputs": [tensor(shape=[0], parameters={"binary_data_size": 0})]}, length=None).records == []


@pytest.mark.parametrize(
    ("content", "settings", "wording"),
    [
        (b"1234567", {}, "7 bytes, which are no whole number of FP64"),
        (b"12345678", {"shape": [2]}, "has 1 values, but its shape says 2"),
        (b"12345678", {"datatype": "BF16"}, "unknown datatype 'BF16'"),
        (b"12345678", {"datatype": ["FP64"]}, r"unknown datatype \['FP64'\]"),
        (b"\x05\x00\x00\x00abc", {"datatype": "BYTES"}, "ends within a text"),
        (b"\x05\x00", {"datatype": "BYTES"}, "texts of input 'age' cannot be read"),
        (b"\x01\x00\x00\x00\xff", {"datatype": "BYTES"}, "texts of input 'age' cannot be read"),
        (b"\xff\xff\xff\xff", {"datatype": "BYTES"}, "ends within a text"),
    ],
)
def test_read_request_broken_binary_data_is_refused(content, settings, wording):
    with pytest.raises(NotJsonError, match=wording):
        packed(content, **settings)


@pytest.mark.parametrize("size", [-1, 9, 10**30, 1.5, "8", True])
def test_read_request_wrong_size_is_refused(size):
    with pytest.raises(NotJsonError, match="binary_data_size of input 'age' must lie between 0 and 8"):
        read({"inputs": [tensor(parameters={"binary_data_size": size})]}, b"12345678")


def test_read_request_bytes_left_over_are_refused():
    with pytest.raises(NotJsonError, match="4 bytes lie behind the last input's data"):
        read({"inputs": [tensor(parameters={"binary_data_size": 4}, datatype="FP32")]}, b"12345678")


@pytest.mark.parametrize("length", ["x", "-1", "1.0", "999", "9" * 5000, "\u0661"])
def test_read_request_wrong_length_of_the_json_is_refused(length):
    with pytest.raises(NotJsonError, match="inference-header-content-length must be at most the body's"):
        read({"inputs": [tensor(data=[1])]}, length=length)


@pytest.mark.parametrize(
    ("content", "wording"),
    [
        ([], 'must be a JSON object with "inputs"'),
        ({}, 'must be a JSON object with "inputs"'),
        ({"inputs": {}}, 'must be a JSON object with "inputs"'),
        ({"inputs": [1]}, 'must be a JSON object with "inputs"'),
        ({"inputs": [{}]}, "An input has null as its name"),
        ({"inputs": [tensor(data=[1]), tensor(data=[1])]}, "'age' is given twice"),
        ({"inputs": [tensor(data=[1]), tensor("b", [2], data=[1, 2])]}, "have between 1 and 2 rows"),
        ({"inputs": [tensor(shape=[], data=[])]}, r"has the shape \[\]; send \[rows\]"),
        ({"inputs": [tensor(shape=[1, 2], data=[1, 2])]}, r"has the shape \[1, 2\]"),
        ({"inputs": [tensor(shape=[-1], data=[1])]}, "must be a list of whole numbers"),
        ({"inputs": [tensor(shape=[True], data=[1])]}, "must be a list of whole numbers"),
        ({"inputs": [{"name": "age", "shape": 1, "data": [1]}]}, "must be a list of whole numbers"),
        ({"inputs": [tensor(shape=[10**4000], data=[1])]}, r"its shape says 10{99}\.\.\."),
        ({"inputs": [tensor(data=5)]}, "data of input 'age' is a number; send a list"),
        ({"inputs": [tensor()]}, "data of input 'age' is null"),
        ({"inputs": [tensor("x" * 500, data=[])]}, r"Input 'x{99}\.\.\. has 0 values"),
        ({"inputs": [tensor(data=[1])], "outputs": [{"name": "value"}]}, "no output 'value'"),
        ({"inputs": [tensor(data=[1])], "outputs": [{"name": ["label"]}]}, "no output None"),
        ({"inputs": [tensor(data=[1])], "outputs": {}}, '"outputs" must be a list'),
    ],
)
def test_read_request_that_is_none_is_refused(content, wording):
    with pytest.raises(NotJsonError, match=wording):
        read(content)


def test_read_request_too_many_rows_is_refused():
    with pytest.raises(BatchTooLargeError, match="3 records at once"):
        read({"inputs": [tensor(shape=[3], data=[1, 2, 3])]}, max_records=2)


def test_read_request_wanted_outputs_keep_their_order():
    asked = read({"inputs": [tensor(data=[1])], "outputs": [{"name": "probas"}, {"name": "label", "parameters": {}}]})
    assert asked.outputs == ("label", "probas")
    assert read({"inputs": [tensor(data=[1])], "outputs": []}).outputs is None
    assert read({"inputs": [tensor(data=[1])], "outputs": [{"name": "value"}]}, is_classification=False).outputs == (
        "value",
    )


ANSWERS = [
    {"prediction_id": "a", "label": "yes", "probas": {"no": 0.25, "yes": 0.75}},
    {"prediction_id": "b", "label": "no", "probas": {"no": 0.5, "yes": 0.5}, "outliers": ["age"]},
]


def test_from_answers_classification():
    assert from_answers(ANSWERS, ALL, classes=("no", "yes"), **VERSION) == {
        "model_name": "model",
        "model_version": "v1",
        "outputs": [
            {"name": "prediction_id", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]},
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["yes", "no"]},
            {"name": "probas", "datatype": "FP64", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]},
        ],
    }


def test_from_answers_regression():
    asked = InferenceRequest((), "7", None)
    content = from_answers([{"prediction_id": "a", "value": 2.5}], asked, classes=None, **VERSION)
    assert content["id"] == "7"
    assert content["outputs"][1] == {"name": "value", "datatype": "FP64", "shape": [1], "data": [2.5]}


@pytest.mark.parametrize(("classes", "shapes"), [((0, 1, 2), [[0], [0], [0, 3]]), (None, [[0], [0]])])
def test_from_answers_no_rows_has_all_outputs(classes, shapes):
    assert [output["shape"] for output in from_answers([], ALL, classes=classes, **VERSION)["outputs"]] == shapes


def test_from_answers_wanted_outputs_only():
    asked = InferenceRequest((), None, ("probas",))
    content = from_answers(ANSWERS, asked, classes=("no", "yes"), **VERSION)
    assert [output["name"] for output in content["outputs"]] == ["probas"]


@pytest.mark.parametrize("classes", [(False, True), (0, 1), (0.5, 1.5), ("a", "b"), None])
def test_describe_model_names_what_answers_have(classes):
    schema = RawSchema(
        columns=tuple(
            ColumnRule(name=kind, kind=kind)
            for kind in ("integer", "number", "boolean", "category", "text", "datetime")
        )
    )
    described = describe_model(schema, classes, **VERSION)
    assert [item["datatype"] for item in described["inputs"]] == ["INT64", "FP64", "BOOL", "BYTES", "BYTES", "BYTES"]
    answered = from_answers([], ALL, classes=classes, **VERSION)["outputs"]
    assert [(item["name"], item["datatype"]) for item in described["outputs"]] == [
        (item["name"], item["datatype"]) for item in answered
    ]
    assert tuple(item["name"] for item in answered) == output_names(is_classification=classes is not None)


def test_label_type_of_every_kind():
    assert [label_type([value]) for value in (True, 1, 1.5, "a")] == ["BOOL", "INT64", "FP64", "BYTES"]
