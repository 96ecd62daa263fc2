"""What a scored table says as a whole: the sample to evaluate, warnings, the same results as single records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ml_project.evaluation.scored import evaluate_scored
from ml_project.prediction import batch_sample
from ml_project.prediction.batch import score_table
from tests.artifacts.fitted import TITANIC, Fitted, records_of, titanic
from tests.prediction.loading import Model
from tests.prediction.test_batch import config_for, read


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["onnx", "multiclass"])
def test_score_table_predictions_are_those_of_single_records_to_the_last_bit(
    request, forest: Fitted, tmp_path: Path, name: str, ending: str
):
    pipeline = request.getfixturevalue(name)
    score_table(Model(pipeline), config_for(forest, TITANIC, tmp_path / f"out.{ending}"))
    written = read(tmp_path / f"out.{ending}")
    answers = pipeline.predict_records(records_of(titanic()))
    assert written["label"].tolist() == [answer["label"] for answer in answers]
    for class_ in map(str, pipeline.classes):
        assert written[f"proba_{class_}"].tolist() == [answer["probas"][class_] for answer in answers]


def test_score_table_regression_is_that_of_single_records_to_the_last_bit(regression, forest: Fitted, tmp_path: Path):
    score_table(Model(regression), config_for(forest, TITANIC, tmp_path / "out.csv"))
    answers = regression.predict_records(records_of(titanic()))
    assert read(tmp_path / "out.csv")["value"].tolist() == [answer["value"] for answer in answers]


def test_score_table_one_row_is_scored(onnx, forest: Fitted, tmp_path: Path):
    titanic().head(1).to_parquet(tmp_path / "in.parquet")
    result = score_table(Model(onnx), config_for(forest, tmp_path / "in.parquet", tmp_path / "out.csv"))
    assert result.n_rows == 1
    assert read(tmp_path / "out.csv")["passenger_id"].tolist() == [1]


def test_score_table_of_texts_encoded_in_parts_of_the_folder_is_the_same(onnx, forest: Fitted, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for number, rows in enumerate(np.array_split(np.arange(1309), 3)):
        part = titanic().iloc[rows]
        encoded = part.assign(sex=part["sex"].astype("category")) if number == 1 else part
        pyarrow.parquet.write_table(pa.Table.from_pandas(encoded), tmp_path / "in" / f"{number}.parquet", 100)
    score_table(Model(onnx), config_for(forest, tmp_path / "in", tmp_path / "parts.csv", chunk_rows=70))
    score_table(Model(onnx), config_for(forest, TITANIC, tmp_path / "whole.csv"))
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_score_table_many_rows_are_evaluated_on_a_random_sample(onnx, forest: Fitted, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batch_sample, "MAX_SAMPLED_ROWS", 300)
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=100)
    sample = score_table(Model(onnx), config).sample
    rows = sample.y_true.index
    assert len(rows) == len(sample.outputs) == 300
    assert not sample.is_whole
    assert rows.is_monotonic_increasing
    assert rows.is_unique
    assert rows[-1] > 1000
    assert sample.y_true.tolist() == titanic()["survived"].iloc[rows].tolist()
    assert sample.outputs[:, 1].tolist() == onnx.predict(titanic())["proba_1"].iloc[rows].tolist()
    evaluation = evaluate_scored(onnx, sample, config)
    assert evaluation.n_rows == 300
    assert evaluation.metrics["roc_auc"] > 0.8
    again = score_table(Model(onnx), config).sample
    assert again.y_true.index.tolist() == rows.tolist()


def test_score_table_unknown_number_of_rows_samples_them_evenly(onnx, forest: Fitted, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batch_sample, "MAX_SAMPLED_ROWS", 200)
    monkeypatch.setattr("ml_project.data.sources.csv_file.CsvSource.count_rows", lambda self: None)
    titanic().to_csv(tmp_path / "in.csv", index=False)
    config = config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv", chunk_rows=100)
    rows = score_table(Model(onnx), config).sample.y_true.index.to_numpy()
    assert len(rows) == 200
    assert 50 < np.sum(rows < 650) < 150


@pytest.mark.parametrize("target", ["survived", "embarked"])
def test_score_table_sampled_targets_have_the_form_of_raw_data(request, forest, tmp_path: Path, target: str):
    pipeline = request.getfixturevalue("onnx" if target == "survived" else "multiclass")
    sample = score_table(Model(pipeline), config_for(forest, TITANIC, tmp_path / "out.csv")).sample
    assert sample.y_true.tolist() == titanic()[target].dropna().tolist()
    assert set(sample.y_true) == set(pipeline.classes)


def test_score_table_sorted_by_what_is_expected_in_the_whole_gives_no_warnings(onnx, forest: Fitted, tmp_path: Path):
    titanic().sort_values(["sex", "age"]).to_parquet(tmp_path / "in.parquet")
    config = config_for(forest, tmp_path / "in.parquet", tmp_path / "out.csv", chunk_rows=100)
    assert score_table(Model(onnx), config).warnings == ()


def test_score_table_repeated_identifiers_in_different_chunks_give_warnings(onnx, forest: Fitted, tmp_path: Path):
    repeated = titanic()["passenger_id"].where(titanic().index != 1200, 7)
    titanic().assign(passenger_id=repeated).to_parquet(tmp_path / "in.parquet")
    config = config_for(forest, tmp_path / "in.parquet", tmp_path / "out.csv", chunk_rows=100)
    told = [str(warning) for warning in score_table(Model(onnx), config).warnings]
    assert told == ["row 1200, passenger_id = 7: must be unique, but an earlier row has the same value"]
