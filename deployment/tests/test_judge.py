"""The judge finds every kind of wrong answer: a right server, changed in one place, is not let through."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from deployment.tests.golden import GOLDEN
from deployment.tests.judge import Judge, without_identifiers
from deployment.tests.target_local import InProcess

BY_NAME = {golden.name: golden for golden in GOLDEN}


@pytest.fixture(scope="module")
def right(artifact, tmp_path_factory):
    with InProcess().running(artifact, tmp_path_factory.mktemp("right")) as ask:
        yield ask


@pytest.fixture
def fresh_judge(loaded):
    return Judge(loaded)


def change_body(change):
    """Return what changes an answer's parsed body."""

    def changed(answer):
        content = json.loads(answer.body)
        change(content)
        return replace(answer, body=json.dumps(content).encode())

    return changed


def change_header(name, value):
    return lambda answer: replace(answer, headers={**answer.headers, name: value})


def next_probability(content):
    content["probas"]["1"] = math.nextafter(content["probas"]["1"], 2)


def swap_predictions(content):
    predictions = content["predictions"]
    predictions[0], predictions[-1] = predictions[-1], predictions[0]


WRONG = {
    "last bit of a probability": ("valid", change_body(next_probability), "the body is"),
    "another label": ("valid", change_body(lambda body: body.update(label=1 - body["label"])), "the body is"),
    "label as a number with a point": (
        "valid",
        change_body(lambda body: body.update(label=float(body["label"]))),
        "the body is",
    ),
    "one field more": ("valid", change_body(lambda body: body.update(model="forest")), "the body is"),
    "no identifier": ("valid", change_body(lambda body: body.pop("prediction_id")), "None is no UUID"),
    "identifier that is no UUID": ("valid", change_body(lambda body: body.update(prediction_id="7")), "'7' is no UUID"),
    "outlier not named": ("outlier", change_body(lambda body: body.pop("outliers")), "the body is"),
    "wrong order of a batch": ("batch", change_body(swap_predictions), "the body is"),
    "one prediction too few": ("batch", change_body(lambda body: body["predictions"].pop()), "the body is"),
    "list for one record": ("valid", lambda answer: replace(answer, body=b"[%b]" % answer.body), "the body is"),
    "error as success": ("wrong_type", lambda answer: replace(answer, status=200), "status 200 instead of 422"),
    "another error": ("wrong_type", change_body(lambda body: body["error"].update(code="x")), "the body is"),
    "one problem too few": (
        "missing_columns",
        change_body(lambda body: body["error"]["details"].pop()),
        "the body is",
    ),
    "page of a gateway": (
        "not_json",
        lambda answer: replace(answer, body=b"<html>", media_type="text/html"),
        "content type 'text/html'",
    ),
    "body that is no JSON": ("not_json", lambda answer: replace(answer, body=b""), "the body is not JSON"),
    "version of another model": ("version", change_body(lambda body: body["model"].update(sha256="")), "the body is"),
    "header of another model": ("valid", change_header("x-model-version", "x"), "header x-model-version is 'x'"),
    "no identifier of the request": ("valid", change_header("x-request-id", ""), "header x-request-id is missing"),
    "no allowed methods": ("wrong_method", change_header("allow", "GET"), "header allow is 'GET'"),
}


def test_right_server_has_no_faults(right, fresh_judge):
    assert [fresh_judge.find_faults(golden, right(golden.make_request())) for golden in GOLDEN] == [[]] * len(GOLDEN)


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_server_is_found(right, fresh_judge, kind):
    name, spoil, said = WRONG[kind]
    golden = BY_NAME[name]
    faults = fresh_judge.find_faults(golden, spoil(right(golden.make_request())))
    assert any(said in fault for fault in faults), faults


def test_identifier_given_twice_is_found(right, fresh_judge):
    golden = BY_NAME["valid"]
    answer = right(golden.make_request())
    assert fresh_judge.find_faults(golden, answer) == []
    assert ["was given before" in fault for fault in fresh_judge.find_faults(golden, answer)] == [True]


def test_comparison_by_bytes_sees_blanks_but_no_identifiers(right):
    request = BY_NAME["valid"].make_request
    first, second = right(request()), right(request())
    assert first.body != second.body
    assert without_identifiers(first) == without_identifiers(second)
    assert without_identifiers(first) != without_identifiers(replace(second, body=second.body + b"\n"))


def test_names_of_golden_requests_are_unique():
    assert len(BY_NAME) == len(GOLDEN)


def test_golden_probabilities_are_no_round_numbers(loaded):
    """Or a service that rounds would pass."""
    shares = [answer["probas"]["1"] for answer in BY_NAME["batch"].expect_body(loaded)["predictions"]]
    assert len({share for share in shares if share != round(share, 6)}) > len(shares) / 2
