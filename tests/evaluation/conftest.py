"""Small real pipelines over generated raw data, one per task."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ml_project.config import Config
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.evaluation.evaluate import evaluate
from ml_project.evaluation.target_codes import encode_target
from ml_project.feature_engineering.engineered import engineered_frame
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.feature_engineering.ready_made import Sum
from ml_project.prediction.pipeline import PredictionPipeline

CLASSES = {"binary": ("no", "yes"), "multiclass": ("high", "low", "middle"), "regression": None}


class ForestEngine:
    """An inference engine around a fitted scikit-learn pipeline."""

    name = "forest"

    def __init__(self, model, kinds, task):
        self.model, self.kinds, self.task = model, kinds, task

    def compute(self, engineered):
        frame = engineered_frame(engineered, self.kinds)
        return self.model.predict(frame) if self.task == "regression" else self.model.predict_proba(frame)


def make_schema(task):
    target = {"kind": "number"} if task == "regression" else {"kind": "category", "allowed": CLASSES[task]}
    return RawSchema(
        columns=(
            ColumnRule(name="target", **target),
            ColumnRule(name="size", kind="number", nullable=True, description="Size in metres."),
            ColumnRule(name="weight", kind="number", description="Weight | in <kilograms>."),
            ColumnRule(name="colour", kind="category", allowed=("blue", "red"), nullable=True),
        )
    )


def make_raw(task, n_rows, seed=0):
    generator = np.random.default_rng(seed)
    size, weight = generator.normal(size=n_rows), generator.normal(size=n_rows)
    red = generator.random(n_rows) < 0.5
    number = 2 * size + weight + 2 * red + generator.normal(size=n_rows)
    names = {"binary": ["no", "yes"], "multiclass": ["low", "middle", "high"]}
    if task == "regression":
        target = pd.Series(number)
    else:
        edges = [0.5] if task == "binary" else [-0.5, 1.5]
        target = pd.Series([names[task][place] for place in np.searchsorted(edges, number)], dtype="str")
    size[::17] = np.nan
    colour = pd.Series(np.where(red, "red", "blue"), dtype="str").where(generator.random(n_rows) > 0.05)
    return pd.DataFrame({"target": target, "size": size, "weight": weight, "colour": colour})


def make_pipeline_of(task, raw):
    schema = make_schema(task)
    both = Sum("both", columns=("size", "weight"))
    features = FeatureEngineering((both,), schema, ("size", "weight", "colour"), "target")
    engineered = features.fit_transform(raw)
    forest = RandomForestRegressor if task == "regression" else RandomForestClassifier
    encoding = make_column_transformer(
        (SimpleImputer(), ["size", "weight", "both"]), (OneHotEncoder(handle_unknown="ignore"), ["colour"])
    )
    model = make_pipeline(encoding, forest(10, max_depth=4, random_state=0))
    model.fit(engineered, encode_target(raw, "target", CLASSES[task]))
    return PredictionPipeline(
        raw_schema=schema,
        features=features.fitted_,
        engine=ForestEngine(model, features.kinds, task),
        task=task,
        classes=CLASSES[task],
        target_column="target",
    )


@pytest.fixture(scope="session")
def train_raws():
    return {task: make_raw(task, 200) for task in CLASSES}


@pytest.fixture(scope="session")
def raws():
    return {task: make_raw(task, 80, seed=1) for task in CLASSES}


@pytest.fixture(scope="session")
def pipelines(train_raws):
    return {task: make_pipeline_of(task, raw) for task, raw in train_raws.items()}


@pytest.fixture(scope="session")
def config():
    return Config.model_validate(
        {
            "data": {"source": "postgresql://anna:hidden@host/things", "target_column": "target", "table": "things"},
            "features": {"columns": ["size"]},
            "evaluation": {"n_bootstrap_samples": 50, "n_explained_rows": 8},
        }
    )


@pytest.fixture(scope="session")
def quick_config(config):
    """A config whose evaluations compute no importances."""
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"explain": False})})


@pytest.fixture(scope="session")
def evaluations(pipelines, raws, train_raws, config):
    return {task: evaluate(pipelines[task], raws[task], config, train_raw=train_raws[task]) for task in CLASSES}
