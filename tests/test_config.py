"""The config's own rules."""

import itertools

import pytest
from pydantic import ValidationError

from ml_project.config import ALLOWED_COMBINATIONS, Config

SMALLEST = {"data": {"source": "people.csv", "target_column": "income"}, "features": {"columns": ["age"]}}
COMBINATIONS = list(itertools.product(("modelling", "prediction"), ("historic", "production"), ("local", "deployed")))


@pytest.mark.parametrize(("run_mode", "data_origin", "execution"), COMBINATIONS)
def test_switches_every_combination_is_decided(run_mode, data_origin, execution):
    values = {**SMALLEST, "run_mode": run_mode, "data_origin": data_origin, "execution": execution}
    if (run_mode, data_origin, execution) in ALLOWED_COMBINATIONS:
        assert Config.model_validate(values).run_mode == run_mode
    else:
        with pytest.raises(ValidationError, match=rf"cannot be {run_mode} \+ {data_origin} \+ {execution}; allowed: "):
            Config.model_validate(values)


def test_config_is_frozen():
    config = Config.model_validate(SMALLEST)
    with pytest.raises(ValidationError, match="frozen"):
        config.run_mode = "prediction"
    with pytest.raises(ValidationError, match="frozen"):
        config.compute.seed = 1


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("splits", {"strategy": "grouped"}, "splits.group_column is not set"),
        ("splits", {"strategy": "chronological"}, "splits.time_column is not set"),
        ("splits", {"strategy": "chronological", "time_column": "t", "n_repeats": 2}, "n_repeats must be 1"),
        ("features", {}, "name at least one feature"),
        ("features", {"columns": ["income"]}, "a target or identifier is no feature"),
        ("data", {"source": "a", "target_column": "b", "table": "t", "query": "q"}, "keep one of them"),
        ("data", {"source": "a", "target_column": "b", "csv": {"thousands": "."}}, "choose different characters"),
    ],
)
def test_rules_across_fields_are_checked(section, values, message):
    with pytest.raises(ValidationError, match=message):
        Config.model_validate({**SMALLEST, section: values})
