"""Tests of ml_project.tracking.model_files and the examples of its neighbours."""

import doctest
from importlib import metadata

import pandas as pd
import pytest

from ml_project.tracking import model_files, records
from ml_project.tracking.model_files import to_requirements, to_signature


@pytest.mark.parametrize("module", [model_files, records])
def test_examples_hold(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2], "long"), ([0.5, 1.0], "double"), (["a", "b"], "string"), ([True, False], "boolean")],
)
def test_to_signature_outputs_have_their_types_and_inputs_any(values, expected) -> None:
    signature = to_signature(pd.DataFrame({"age": [1, 2]}), pd.DataFrame({"label": values}))
    assert signature.outputs.to_dict() == [{"type": expected, "name": "label", "required": True}]
    assert signature.inputs.to_dict() == [{"type": "any", "name": "age", "required": True}]


def test_to_requirements_import_names_become_distributions_that_are_installed() -> None:
    requirements = to_requirements({"xgboost": "3.4.0", "imblearn": "0.14.0", "numpy": "2.5.1", "unknown": "1"})
    assert {"xgboost-cpu==3.4.0", "imbalanced-learn==0.14.0", "numpy==2.5.1", "unknown==1"} <= set(requirements)
    assert f"pandas=={metadata.version('pandas')}" in requirements
    assert f"pandera=={metadata.version('pandera')}" in requirements  # by which the loaded model checks its input
