"""The one object that predicts."""

import numpy as np
import pandas as pd
import pytest

from ml_project.errors import InvalidDataError
from ml_project.prediction.pipeline import PredictionPipeline
from tests.artifacts.fitted import Fitted, records_of, titanic


def test_predict_has_label_and_a_probability_per_class(onnx: PredictionPipeline, forest: Fitted):
    predictions = onnx.predict(forest.raw)
    assert tuple(predictions.columns) == onnx.output_columns == ("label", "proba_0", "proba_1")
    assert predictions["label"].dtype == np.int64
    assert (predictions["label"] == (predictions["proba_1"] > predictions["proba_0"])).all()
    assert predictions[["proba_0", "proba_1"]].sum(axis="columns").to_numpy() == pytest.approx(1, abs=1e-6)


def test_predict_native_is_the_estimator_to_the_last_bit(native: PredictionPipeline, forest: Fitted):
    found = native.predict(forest.raw)[["proba_0", "proba_1"]].to_numpy()
    assert np.array_equal(found, forest.estimator.predict_proba(forest.raw))


def test_predict_engines_agree(native: PredictionPipeline, onnx: PredictionPipeline):
    one, other = native.predict(titanic()), onnx.predict(titanic())
    assert one["label"].equals(other["label"])
    assert other["proba_1"].to_numpy() == pytest.approx(one["proba_1"].to_numpy(), abs=1e-6)


def test_predict_regression_has_values(regression: PredictionPipeline):
    predictions = regression.predict(titanic())
    assert list(predictions.columns) == ["value"]
    assert regression.predict_record(records_of(titanic())[0]) == {"value": predictions["value"].iloc[0]}


def test_predict_multiclass_labels_are_the_raw_targets_texts(multiclass: PredictionPipeline):
    predictions = multiclass.predict(titanic())
    assert list(predictions.columns) == ["label", "proba_C", "proba_Q", "proba_S"]
    assert predictions["label"].dtype == "str"
    assert set(predictions["label"]) == {"C", "Q", "S"}


def test_predict_keeps_the_index_and_the_frame(onnx: PredictionPipeline):
    raw = titanic().sample(50, random_state=1)
    before = raw.copy()
    predictions = onnx.predict(raw)
    assert predictions.index.equals(raw.index)
    pd.testing.assert_frame_equal(raw, before)


def test_predict_shuffled_columns_changes_nothing(onnx: PredictionPipeline):
    raw = titanic()
    pd.testing.assert_frame_equal(onnx.predict(raw[raw.columns[::-1]]), onnx.predict(raw))


def test_predict_column_missing_is_named(onnx: PredictionPipeline):
    with pytest.raises(InvalidDataError, match="age: the column is missing"):
        onnx.predict(titanic().drop(columns="age"))


def test_predict_unneeded_columns_may_be_missing(onnx: PredictionPipeline):
    needed = titanic()[list(onnx.input_schema.names)]
    assert "survived" not in needed
    pd.testing.assert_frame_equal(onnx.predict(needed), onnx.predict(titanic()))


def test_predict_all_null_column_gives_predictions(onnx: PredictionPipeline):
    assert onnx.predict(titanic().assign(age=np.nan))["proba_1"].notna().all()


@pytest.mark.parametrize("name", ["native", "onnx", "regression", "multiclass"])
def test_predict_empty_frame_gives_empty_predictions(name: str, request):
    pipeline: PredictionPipeline = request.getfixturevalue(name)
    full, empty = pipeline.predict(titanic()), pipeline.predict(titanic().iloc[:0])
    assert len(empty) == 0
    assert (empty.dtypes == full.dtypes).all()
    assert pipeline.predict_records([]) == []


@pytest.mark.parametrize("name", ["onnx", "regression", "multiclass", "native"])
def test_predict_one_row_frame_record_and_batch_are_the_same_to_the_last_bit(name: str, request):
    pipeline: PredictionPipeline = request.getfixturevalue(name)
    n_rows = 40 if name == "native" else 1309
    raw = titanic()
    records = records_of(raw)
    frame = pipeline.predict(raw)
    batch = pipeline.predict_records(records)
    numbers = [prediction.get("probas", {"": prediction.get("value")}) for prediction in batch]
    assert [list(row.values()) for row in numbers] == frame.iloc[:, -len(numbers[0]) :].to_numpy().tolist()
    if "label" in frame:
        assert [prediction["label"] for prediction in batch] == frame["label"].tolist()
    assert [pipeline.predict_record(record) for record in records[:n_rows]] == batch[:n_rows]
    rows = pd.concat([pipeline.predict(raw.iloc[[row]]) for row in range(40)])
    pd.testing.assert_frame_equal(rows, frame.iloc[:40], check_exact=True)


def test_predict_records_labels_are_json_values(onnx: PredictionPipeline):
    prediction = onnx.predict_record(records_of(titanic())[0])
    assert type(prediction["label"]) is int
    assert {type(value) for value in prediction["probas"].values()} == {float}


def test_predict_records_texts_and_absent_fields_mean_the_same(onnx: PredictionPipeline):
    record = records_of(titanic())[0]
    as_text = {name: str(value) for name, value in record.items() if value is not None}
    assert onnx.predict_record(as_text) == onnx.predict_record(record)


def test_predict_records_invalid_names_every_problem(onnx: PredictionPipeline):
    good = records_of(titanic())[0]
    bad = {**good, "age": -4, "sex": "unknown"}
    with pytest.raises(InvalidDataError) as caught:
        onnx.predict_records([good, bad])
    assert [(problem.row, problem.field) for problem in caught.value.problems] == [(1, "sex"), (1, "age")]


def test_predict_ties_go_to_the_first_class_whatever_the_last_bit(forest: Fitted, onnx: PredictionPipeline):
    class Undecided:
        name = "undecided"

        def compute(self, engineered: object) -> np.ndarray:
            return np.array([[0.5, 0.5], [0.5, 0.5 + 1e-12], [0.4, 0.6]])

    pipeline = PredictionPipeline(
        raw_schema=onnx.raw_schema,
        features=onnx.features,
        engine=Undecided(),
        task="binary",
        classes=("no", "yes"),
        target_column="survived",
    )
    assert pipeline.predict(forest.raw.iloc[:3])["label"].tolist() == ["no", "no", "yes"]


def test_json_schema_has_the_needed_columns_only(onnx: PredictionPipeline):
    assert set(onnx.json_schema()["properties"]) == set(onnx.input_schema.names)
