import json
import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from ml_project.data.columns import to_columns
from ml_project.errors import FeatureError
from ml_project.feature_engineering.engineered import MISSING_CATEGORY, engineered_frame
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.feature_engineering.fitted_features import FittedFeatures
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.feature_engineering.ready_made import Binning, GroupStatistic, Log, Sum, TextLength
from ml_project.feature_engineering.row_function import row_feature

PROCESSES = (
    Log("log_fare", column="fare"),
    GroupStatistic("port_fare", group="port", column="fare"),
    Binning("fare_bin", column="fare", n_quantiles=2),
)


class Returning(FeatureProcess):
    """A process that returns what it is told to."""

    def __init__(self, result, kind="number", state=None):
        self.result, self.kind, self.state = result, kind, state or {}
        self.name, self.missing = "odd", "may"

    inputs = ("fare",)

    def fit(self, columns):
        return self.state

    def compute(self, columns, state):
        return self.result


@pytest.fixture
def features(schema):
    return FeatureEngineering(PROCESSES, schema, columns=("sibsp", "port"), target="survived")


def test_transform_gives_columns_then_processes_with_kinds_and_index(features, raw):
    raw.index = [7, 3, 5, 1]
    engineered = features.fit_transform(raw)
    assert engineered.columns.tolist() == ["sibsp", "port", "log_fare", "port_fare", "fare_bin"] == list(features.kinds)
    assert engineered.index.tolist() == [7, 3, 5, 1]
    assert engineered["port"].tolist() == ["C", "S", MISSING_CATEGORY, "S"]
    assert {name: str(dtype) for name, dtype in engineered.dtypes.items()} == {
        name: "float64" if kind == "number" else "object" for name, kind in features.kinds.items()
    }
    assert features.get_feature_names_out().tolist() == list(engineered.columns)


def test_transform_leaves_raw_data_unchanged(features, raw):
    before = raw.copy(deep=True)
    engineered = features.fit_transform(raw)
    engineered["sibsp"] = -1.0
    assert_frame_equal(raw, before)


def test_required_columns_are_those_of_features_in_schema_order(features):
    assert features.required_columns == ("fare", "sibsp", "port")


def test_transform_shuffled_columns_and_single_rows_give_the_same(features, raw):
    engineered = features.fit(raw).transform(raw)
    assert_frame_equal(features.transform(raw[raw.columns[::-1]]), engineered)
    assert_frame_equal(pd.concat([features.transform(raw.iloc[[row]]) for row in range(len(raw))]), engineered)


def test_compute_arrays_give_the_transformed_values(features, raw, schema):
    engineered = features.fit_transform(raw)
    computed = features.fitted_.compute(to_columns(raw, schema))
    for name, kind in features.kinds.items():
        expected = [value or None for value in engineered[name]] if kind == "category" else engineered[name].to_numpy()
        np.testing.assert_array_equal(computed[name], np.array(expected, dtype=computed[name].dtype))


def test_transform_no_rows_gives_empty_frame(features, raw):
    assert features.fit(raw).transform(raw.iloc[:0]).shape == (0, 5)


def test_fit_all_null_column_gives_missing_features(features, raw):
    raw["fare"] = np.nan
    engineered = features.fit_transform(raw)
    assert engineered[["log_fare", "port_fare"]].isna().all(axis=None)
    assert (engineered["fare_bin"] == MISSING_CATEGORY).all()


def test_transform_test_rows_depend_on_training_rows_only(features, raw):
    features.fit(raw.iloc[:3])
    alone = features.transform(raw.iloc[3:])
    raw.loc[:2, "fare"] = 999.0
    assert_frame_equal(features.transform(raw).iloc[3:], alone)


def test_clone_and_pipeline_keep_parameters(features, raw):
    copied = clone(features)
    assert copied.get_params()["columns"] == ("sibsp", "port")
    assert not hasattr(copied, "fitted_")
    pipeline = Pipeline([("features", copied), ("model", FunctionTransformer())])
    assert_frame_equal(pipeline.fit_transform(raw), features.fit_transform(raw))


def test_workers_give_bit_identical_results(features, raw):
    expected = features.fit_transform(raw)
    restored = pickle.loads(pickle.dumps(features))  # noqa: S301 - own bytes, in memory
    assert_frame_equal(restored.transform(raw), expected)
    (worked,) = Parallel(n_jobs=2)(delayed(clone(features).fit_transform)(frame) for frame in [raw])
    assert_frame_equal(worked, expected)


def test_state_through_json_gives_bit_identical_results(features, raw, schema):
    raw["fare"] = [0.1 + 0.2, 1 / 3, np.nan, 1e-300]
    expected = features.fit_transform(raw)
    state = json.loads(json.dumps(features.fitted_.to_state(), allow_nan=False))
    restored = FittedFeatures.from_state(state, (TextLength("unused", column="name"), *PROCESSES), schema)
    computed = restored.compute(to_columns(raw, schema.select(restored.required_columns)))
    assert_frame_equal(engineered_frame(computed, restored.kinds), expected)
    assert restored.columns == features.columns
    assert restored.target == "survived"


def test_from_state_changed_or_absent_process_is_refused(features, raw, schema):
    state = features.fit(raw).fitted_.to_state()
    changed = (Log("log_fare", column="sibsp"), PROCESSES[1])
    with pytest.raises(FeatureError, match=r"(?s)log_fare: its code or parameters have changed.*fare_bin: is gone"):
        FittedFeatures.from_state(state, changed, schema)


def test_fit_wrong_declaration_lists_all_problems(schema, raw):
    clashing = (Log("port", column="faer"), Log("leak", column="survived"), Sum("sum", columns=("fare", "sibsp")))
    features = FeatureEngineering(clashing, schema, columns=("port", "prot", "born", "survived"), target="survived")
    with pytest.raises(FeatureError) as caught:
        features.fit(raw)
    text = str(caught.value)
    for expected in [
        "prot: is no column of the schema; did you mean 'port'?",
        "born: is a datetime",
        "port: its input 'faer' is no column of the schema; did you mean 'fare'?",
        "leak: reads the target 'survived'",
        "port: is the name of more than one feature",
        "survived: is the target and can be no feature",
    ]:
        assert expected in text
    assert "sum" not in text


def test_fit_process_without_inputs_is_refused(schema, raw):
    class NoInputs(Returning):
        inputs = ()

    with pytest.raises(FeatureError, match="odd: declares no inputs"):
        FeatureEngineering((NoInputs(None),), schema).fit(raw)


def test_transform_missing_column_names_closest(features, raw):
    with pytest.raises(FeatureError, match=r"fare: is not among the raw columns; did you mean 'fares'"):
        features.fit(raw).transform(raw.rename(columns={"fare": "fares"}))


def test_transform_unfitted_says_so(features, raw):
    with pytest.raises(NotFittedError, match="FeatureEngineering"):
        features.transform(raw)


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (Returning(np.zeros(3)), r"must return shape \(4,\), but returned \(3,\)"),
        (Returning(np.zeros((4, 1))), r"returned \(4, 1\)"),
        (Returning([0.0] * 4), "must return a float64 array, but returned list"),
        (Returning(np.zeros(4, dtype=int)), "must return a float64 array, but returned int64"),
        (Returning(np.zeros(4), kind="category"), "must return a object array"),
        (Returning(np.array(["a", 1, None, "b"], dtype=object), kind="category"), "returned 1 for fare = nan"),
        (Returning(np.array([1.0, 2.0, -np.inf, 3.0])), "feature 'odd' is -inf for fare = 0.0; return NaN"),
        (Returning(np.zeros(4), state={"mean": np.inf}), "'odd' learned cannot be written as JSON"),
        (Returning(np.zeros(4), state={"mean": np.zeros(1)}), "'odd' learned cannot be written as JSON"),
    ],
)
def test_transform_unusable_result_names_process(schema, raw, process, message):
    with pytest.raises(FeatureError, match=message):
        FeatureEngineering((process,), schema).fit_transform(raw)


def test_transform_infinite_in_many_rows_names_row(schema, raw):
    @row_feature(inputs=("sibsp",), kind="number", missing="propagates")
    def inverse(sibsp):
        return 1 / sibsp if sibsp else float("inf")

    many = pd.concat([raw] * 50, ignore_index=True)
    with pytest.raises(FeatureError, match=r"'inverse' is inf for sibsp = 0\.0"):
        FeatureEngineering((inverse,), schema).fit(many).transform(many)


def test_transform_undeclared_column_says_so(schema, raw):
    class Undeclared(Returning):
        def compute(self, columns, state):
            return columns["sibsp"]

    with pytest.raises(FeatureError, match=r"'sibsp' is needed by a feature .* must declare every column"):
        FeatureEngineering((Undeclared(None),), schema).fit_transform(raw)
