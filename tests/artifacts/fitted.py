"""Small fitted estimators on the Titanic table, and their export, for the tests of artifacts and prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline

from ml_project.artifacts.edge_rows import edge_rows
from ml_project.artifacts.engine_comparison import Comparison, Difference
from ml_project.artifacts.engines import NativeEngine, OnnxGraph
from ml_project.artifacts.export import export_artifact
from ml_project.artifacts.onnx_conversion import convert_preprocessing
from ml_project.artifacts.serving_model import serving_model
from ml_project.config import Config
from ml_project.data.coercion import coerce
from ml_project.data.columns import Columns, to_columns
from ml_project.data.schema_reader import read_schema
from ml_project.data.target import Target, read_target
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.modelling.candidates import FitSettings
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES
from ml_project.preprocessing.steps import build_preprocessing
from tests.example.features import FEATURE_PROCESSES
from tests.example.schema import RawData
from tests.workspace import TITANIC

SCHEMA = read_schema(RawData)
COLUMNS = ("pclass", "sex", "age", "fare", "sibsp", "parch", "embarked")
FEW_TREES: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 20},
    "histogram_boosting": {"max_iter": 15},
    "xgboost": {"n_estimators": 15},
    "lightgbm": {"n_estimators": 15},
    "catboost": {"iterations": 15},
}


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator and the data it was fitted on."""

    name: str
    estimator: Any
    config: Config
    target: Target
    raw: pd.DataFrame
    training_rows: Any
    holdout_rows: Any

    def export(self, path: Path, **changes: Any) -> Path:
        arguments: dict[str, Any] = {
            "estimator": self.estimator,
            "config": self.config,
            "raw_schema": SCHEMA,
            "task": self.target.task,
            "classes": self.target.classes,
            "training_raw": self.raw.iloc[self.training_rows],
            "comparison_raw": self.raw.iloc[self.holdout_rows],
            "name": self.name,
        }
        return export_artifact(path=path, **{**arguments, **changes})

    def engineered(self) -> dict[str, Any]:
        features = self.estimator.named_steps["features"].fitted_
        return features.compute(to_columns(self.raw, SCHEMA.select(features.required_columns)))

    def with_last_step(self, model: Any) -> Pipeline:
        """Return the preprocessing with another model fitted behind it, on the training rows."""
        steps = serving_model(self.estimator).steps[:-1]
        preprocessed = Pipeline(steps).transform(self.estimator.named_steps["features"].transform(self.raw))
        rows = self.training_rows
        return Pipeline([*steps, ("model", model.fit(preprocessed[rows], self.target.values[rows]))])

    def with_engine(self, engine: str) -> Config:
        artifacts = self.config.artifacts.model_copy(update={"engine": engine})
        return self.config.model_copy(update={"artifacts": artifacts})


@cache
def titanic() -> pd.DataFrame:
    return coerce(pd.read_parquet(TITANIC), SCHEMA, missing_values=("",))


def fit(name: str, target: str = "survived", settings: Mapping[str, Any] | None = None, **preprocessing: Any) -> Fitted:
    """Fit a small candidate, with parameters of its own if given; ``preprocessing`` are fields of its config."""
    raw = titanic().dropna(subset=[target])
    learned = read_target(raw, target)
    processes = tuple(process for process in FEATURE_PROCESSES if target not in process.inputs)
    columns = tuple(column for column in COLUMNS if column != target)
    config = Config(
        data={"source": str(TITANIC), "target_column": target, "id_column": "passenger_id"},
        features={"columns": columns, "processes": [process.name for process in processes]},
        preprocessing=preprocessing,
    )
    features = FeatureEngineering(processes, SCHEMA, columns, target)
    candidate = next(candidate for candidate in STANDARD_CANDIDATES if candidate.name == name)
    model = candidate.build(FitSettings(learned.task)).set_params(**(settings or FEW_TREES.get(name, {})))
    steps = build_preprocessing(config.preprocessing, features.kinds, task=learned.task, seed=0)
    estimator = Pipeline([("features", features), *steps, ("model", model)])
    order = np.random.default_rng(0).permutation(len(raw))
    training, holdout = order[: int(0.8 * len(raw))], order[int(0.8 * len(raw)) :]
    estimator.fit(raw.iloc[training], learned.values[training])
    return Fitted(name, estimator, config, learned, raw, training, holdout)


def records_of(raw: pd.DataFrame) -> list[dict[str, Any]]:
    """Return raw rows as parsed JSON would give them."""
    return raw.astype(object).where(raw.notna(), None).to_dict("records")


def compare(native: NativeEngine, engine: Any, engineered: Columns) -> Difference:
    """Return how far an engine is from the native one, on real rows and on those made of them."""
    preprocess = OnnxGraph(convert_preprocessing(native.model, native.kinds)).compute
    made = edge_rows(native.model.steps[-1][1], preprocess, engineered, native.kinds)
    return Comparison(native, engineered, made, classification=native.classification).with_engine(engine)
