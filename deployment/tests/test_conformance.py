"""Every deployment gives the golden answers, and every deployment the same."""

from __future__ import annotations

import pytest

from deployment.tests.judge import without_identifiers
from deployment.tests.target_local import InProcess


@pytest.fixture(scope="session")
def in_process(artifact, tmp_path_factory):
    with InProcess().running(artifact, tmp_path_factory.mktemp("reference")) as ask:
        yield ask


def test_golden_requests_have_the_golden_answers(ask, golden, judge):
    faults = {one.name: judge.find_faults(one, ask(one.make_request())) for one in golden}
    assert golden
    assert {name: found for name, found in faults.items() if found} == {}


def test_answers_are_byte_by_byte_those_in_process(ask, golden, in_process):
    found = {one.name: without_identifiers(ask(one.make_request())) for one in golden}
    wanted = {one.name: without_identifiers(in_process(one.make_request())) for one in golden}
    assert found == wanted
