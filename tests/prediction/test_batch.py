"""Scoring tables."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_project.config import Config
from ml_project.errors import ConfigError, DataSourceError, InvalidDataError, MlProjectError
from ml_project.prediction.batch import score_table
from ml_project.prediction.pipeline import PredictionPipeline
from tests.artifacts.fitted import TITANIC, Fitted, titanic
from tests.prediction.loading import Model


class Engine:
    """An engine that does something else from its second call on."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self.n_calls = 0
        self.error = error

    def compute(self, engineered: Any) -> np.ndarray:
        self.n_calls += 1
        if self.n_calls > 1:
            raise self.error
        return np.full((len(next(iter(engineered.values()))), 2), 0.5)


def config_for(forest: Fitted, source: Path, output: Path, **prediction: Any) -> Config:
    config = forest.config.model_dump()
    config["run_mode"] = "prediction"
    config["data"]["source"] = str(source)
    config["prediction"] |= {"output": output, "chunk_rows": 500, **prediction}
    return Config.model_validate(config)


def with_engine(pipeline: PredictionPipeline, engine: Any) -> Model:
    changed = PredictionPipeline(
        raw_schema=pipeline.raw_schema,
        features=pipeline.features,
        engine=engine,
        task=pipeline.task,
        classes=pipeline.classes,
        target_column=pipeline.target_column,
        id_column=pipeline.id_column,
    )
    return Model(changed)


def damaged(raw: pd.DataFrame, changes: dict[tuple[int, str], object]) -> pd.DataFrame:
    """Return a table in which some values are wrong."""
    table = raw.astype(object)
    for (row, column), value in changes.items():
        table.loc[row, column] = value
    return table


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, float_precision="round_trip")


@pytest.mark.parametrize("chunk_rows", [400, 5000])
@pytest.mark.parametrize("name", ["predictions.csv", "predictions.parquet"])
def test_score_table_writes_ids_and_predictions(onnx, forest: Fitted, tmp_path: Path, name: str, chunk_rows: int):
    result = score_table(Model(onnx), config_for(forest, TITANIC, tmp_path / "new" / name, chunk_rows=chunk_rows))
    written = read(tmp_path / "new" / name)
    wanted = pd.concat([titanic()["passenger_id"], onnx.predict(titanic())], axis="columns")
    pd.testing.assert_frame_equal(written, wanted, check_exact=True)
    assert (result.n_rows, result.n_rejected, result.paths) == (1309, 0, {"predictions": tmp_path / "new" / name})
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == [name]


def test_score_table_target_present_gives_labels_for_evaluation(onnx, forest: Fitted, tmp_path: Path):
    result = score_table(Model(onnx), config_for(forest, TITANIC, tmp_path / "out.csv"))
    assert result.sample.is_whole
    assert result.sample.y_true.tolist() == titanic()["survived"].tolist()
    assert result.sample.outputs.tolist() == onnx.predict(titanic())[["proba_0", "proba_1"]].to_numpy().tolist()


def test_score_table_target_known_in_some_rows_gives_those(onnx, forest: Fitted, tmp_path: Path):
    table = titanic().astype({"survived": float})
    table.loc[10:, "survived"] = np.nan
    table.to_csv(tmp_path / "in.csv", index=False)
    result = score_table(Model(onnx), config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv"))
    assert result.n_rows == 1309
    assert len(result.sample.y_true) == len(result.sample.outputs) == 10


def test_score_table_without_target_and_id_numbers_the_rows(onnx, forest: Fitted, tmp_path: Path):
    titanic().drop(columns=["survived", "passenger_id"]).to_csv(tmp_path / "in.csv", index=False)
    result = score_table(Model(onnx), config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv"))
    assert result.sample is None
    assert pd.read_csv(tmp_path / "out.csv")["row"].tolist() == list(range(1309))


def test_score_table_regression_has_values(regression, forest: Fitted, tmp_path: Path):
    score_table(Model(regression), config_for(forest, TITANIC, tmp_path / "out.csv"))
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["passenger_id", "value"]


def test_score_table_invalid_rows_are_refused_with_all_problems(onnx, forest: Fitted, tmp_path: Path):
    wrong = {(row, "age"): "old" for row in range(0, 1300, 100)}
    table = damaged(titanic(), {**wrong, (1, "sex"): "unknown", (1305, "pclass"): None})
    table.to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(InvalidDataError, match="15 rows break the schema") as caught:
        score_table(Model(onnx), config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv"))
    found = [(problem.row, problem.field) for problem in caught.value.problems]
    assert sorted(found) == sorted([*((row, "age") for row in range(0, 500, 100)), (1, "sex"), (1305, "pclass")])
    assert "13 values in all" in str(caught.value)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_score_table_invalid_rows_set_aside_go_to_a_second_file(onnx, forest: Fitted, tmp_path: Path):
    wrong = {(0, "age"): "old", (0, "sex"): None, (700, "fare"): -1, (1308, "passenger_id"): None}
    damaged(titanic(), wrong).to_csv(tmp_path / "in.csv", index=False)
    config = config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv", invalid_rows="set_aside")
    result = score_table(Model(onnx), config)
    rejected = pd.read_csv(result.paths["rejected"])
    assert (result.n_rows, result.n_rejected) == (1306, 3)
    assert result.paths["rejected"] == tmp_path / "out.rejected.csv"
    assert rejected["row"].tolist() == [0, 700, 1308]
    assert "age = 'old'" in rejected["problems"][0]
    assert "sex = '': is required" in rejected["problems"][0]
    assert "must be at least 0" in rejected["problems"][1]
    written = read(tmp_path / "out.csv")
    assert written["passenger_id"].tolist() == titanic()["passenger_id"].drop([0, 700, 1308]).tolist()
    kept = titanic().drop([0, 700, 1308])
    assert written["proba_1"].tolist() == onnx.predict(kept)["proba_1"].tolist()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_score_table_every_row_set_aside_writes_an_empty_table(onnx, forest: Fitted, tmp_path: Path, name: str):
    titanic().assign(age=-1.0).to_parquet(tmp_path / "in.parquet")
    config = config_for(forest, tmp_path / "in.parquet", tmp_path / name, invalid_rows="set_aside")
    result = score_table(Model(onnx), config)
    assert (result.n_rows, result.n_rejected) == (0, 1309)
    assert list(read(tmp_path / name).columns) == ["passenger_id", "label", "proba_0", "proba_1"]


def test_score_table_nothing_set_aside_removes_the_rejected_rows_of_an_earlier_run(onnx, forest, tmp_path: Path):
    (tmp_path / "out.rejected.csv").write_text("old")
    score_table(Model(onnx), config_for(forest, TITANIC, tmp_path / "out.csv", invalid_rows="set_aside"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_score_table_interrupted_keeps_the_old_output(onnx, forest: Fitted, tmp_path: Path, name: str):
    (tmp_path / name).write_text("old")
    with pytest.raises(KeyboardInterrupt):
        score_table(with_engine(onnx, Engine(KeyboardInterrupt())), config_for(forest, TITANIC, tmp_path / name))
    assert (tmp_path / name).read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [name, f"{name}.parts"]


def test_score_table_full_disk_keeps_the_old_output(onnx, forest: Fitted, tmp_path: Path):
    (tmp_path / "out.csv").write_text("old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(MlProjectError, match=r"cannot be written to .*out\.csv: No space left"):
        score_table(with_engine(onnx, Engine(full)), config_for(forest, TITANIC, tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == "old"


def test_score_table_column_missing_is_named(onnx, forest: Fitted, tmp_path: Path):
    titanic().rename(columns={"age": "age "}).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(InvalidDataError, match="age: the column is missing"):
        score_table(Model(onnx), config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv"))
    assert not (tmp_path / "out.csv").exists()


def test_score_table_no_such_table_is_refused(onnx, forest: Fitted, tmp_path: Path):
    with pytest.raises(DataSourceError, match="nowhere"):
        score_table(Model(onnx), config_for(forest, tmp_path / "nowhere.csv", tmp_path / "out.csv"))


@pytest.mark.parametrize(("name", "message"), [("out.xlsx", r"\.csv or \.parquet"), ("folder.csv", "folder")])
def test_score_table_impossible_output_is_refused_before_reading(onnx, forest, tmp_path: Path, name, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigError, match=message):
        score_table(Model(onnx), config_for(forest, tmp_path / "nowhere.csv", tmp_path / name))


def test_score_table_into_the_folder_that_is_the_table_is_refused(onnx, forest: Fitted, tmp_path: Path):
    titanic().to_parquet(tmp_path / "part.parquet")
    with pytest.raises(ConfigError, match="or lies in it"):
        score_table(Model(onnx), config_for(forest, tmp_path, tmp_path / "out.parquet"))


def test_score_table_corrected_rejected_rows_are_not_lost(onnx, forest: Fitted, tmp_path: Path):
    corrected = tmp_path / "out.rejected.csv"
    titanic().to_csv(corrected, index=False)
    with pytest.raises(ConfigError, match="rows that break the schema would go; rename it"):
        score_table(Model(onnx), config_for(forest, corrected, tmp_path / "out.csv"))
    assert corrected.exists()


def test_score_table_onto_the_table_itself_is_refused(onnx, forest: Fitted, tmp_path: Path):
    titanic().to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(ConfigError, match="the table to score itself"):
        score_table(Model(onnx), config_for(forest, tmp_path / "table.csv", tmp_path / "table.csv"))


def test_score_table_unusual_batch_gives_warnings(onnx, forest: Fitted, tmp_path: Path):
    titanic().assign(age=np.nan).to_parquet(tmp_path / "in.parquet")
    result = score_table(Model(onnx), config_for(forest, tmp_path / "in.parquet", tmp_path / "out.csv"))
    assert "age" in {warning.field for warning in result.warnings}


def test_score_table_usual_batch_gives_no_warnings(onnx, forest: Fitted, tmp_path: Path):
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=5000)
    assert score_table(Model(onnx), config).warnings == ()
