"""Every deployment gives the golden answers, and every deployment the same."""

from __future__ import annotations

import pytest

from deployment.tests.judge import without_identifiers
from deployment.tests.target_local import InProcess


@pytest.fixture(scope="session")
def in_process(artifact, tmp_path_factory):
    with InProcess().running(artifact, tmp_path_factory.mktemp("reference")) as ask:
        yield ask


def test_golden_requests_have_the_golden_answers_byte_by_byte_as_in_process(ask, golden, judge, in_process):
    """One test per target, so that processes that share the tests among them start each target once."""
    faults = {}
    for one in golden:
        answer = ask(one.make_request())
        faults[one.name] = judge.find_faults(one, answer)
        found, wanted = without_identifiers(answer), without_identifiers(in_process(one.make_request()))
        if found != wanted:
            faults[one.name].append(f"{found} instead of {wanted} as in process")
    assert golden
    assert {name: found for name, found in faults.items() if found} == {}
