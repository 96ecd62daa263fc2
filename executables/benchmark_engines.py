"""Compare the engines of exported models with scikit-learn's own prediction, for every kind of model.

Every standard candidate, and some models that ONNX cannot compute, are fitted with default hyper-parameters on three
data sets (two classes, several classes, a regression), exported and loaded. Beside the engine that the export has
chosen and its largest difference from scikit-learn stand, in microseconds per row: ``predict_record`` with everything
that belongs to it (validation, features, answer), the engine alone, and scikit-learn's ``predict_proba`` (or
``predict``) of preprocessing and model on a frame of one row, whose features are computed already. All three take
turns, row by row; the figures are medians over rows, of the best of three calls each, so that a busy machine distorts
them less. Rows per second are those of 1,000 records at once, and of a frame of 1,000 rows.
"""

import argparse
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_wine
from threadpoolctl import threadpool_limits

from ml_project.artifacts.export import export_artifact
from ml_project.artifacts.loading import load_artifact
from ml_project.artifacts.serving_model import serving_model
from ml_project.config import Config
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.feature_engineering.engineered import engineered_frame
from ml_project.modelling.candidates import Candidate, FitSettings
from ml_project.modelling.estimators import build_estimator, fit_settings
from ml_project.modelling.project_parts import Project
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES
from ml_project.modelling.training_data import Dataset, read_dataset
from ml_project.project_package import load_project

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' project

from tests.workspace import PACKAGE, TITANIC

N_BATCH_ROWS = 1000
COLUMNS = (
    "data", "candidate", "engine", "difference", "record µs", "engine µs", "scikit-learn µs", "ratio",
    "rows/s", "scikit-learn rows/s", "ratio",
)  # fmt: skip


def build_support_vectors(settings: FitSettings) -> Any:
    """Return support vectors, with probabilities in a classification."""
    from sklearn.svm import SVC, SVR

    return SVR() if settings.task == "regression" else SVC(probability=True, random_state=settings.seed)


def build_neighbours(settings: FitSettings) -> Any:
    """Return the nearest neighbours."""
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    neighbours = KNeighborsRegressor if settings.task == "regression" else KNeighborsClassifier
    return neighbours(algorithm="brute")


def build_network(settings: FitSettings) -> Any:
    """Return a network with one hidden layer."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    network = MLPRegressor if settings.task == "regression" else MLPClassifier
    return network(hidden_layer_sizes=(64,), max_iter=500, random_state=settings.seed)


def build_gaussian_process(settings: FitSettings) -> Any:
    """Return a Gaussian process, whose prediction compares a row with every training row."""
    from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor

    return GaussianProcessRegressor() if settings.task == "regression" else GaussianProcessClassifier()


def build_stack(settings: FitSettings) -> Any:
    """Return a forest and a linear model, combined by a linear model."""
    from sklearn.ensemble import (
        RandomForestClassifier,
        RandomForestRegressor,
        StackingClassifier,
        StackingRegressor,
    )
    from sklearn.linear_model import LogisticRegression, Ridge

    if settings.task == "regression":
        return StackingRegressor([("forest", RandomForestRegressor(random_state=0)), ("ridge", Ridge())], cv=3)
    members = [("forest", RandomForestClassifier(random_state=0)), ("linear", LogisticRegression(max_iter=2000))]
    return StackingClassifier(members, cv=3)


def build_leafwise_catboost(settings: FitSettings) -> Any:
    """Return CatBoost with trees that are not symmetric."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    boosting = CatBoostRegressor if settings.task == "regression" else CatBoostClassifier
    return boosting(iterations=200, grow_policy="Lossguide", verbose=False, allow_writing_files=False)


def build_naive_bayes(settings: FitSettings) -> Any:
    """Return naive Bayes."""
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def build_calibrated_forest(settings: FitSettings) -> Any:
    """Return a forest of 100 trees whose probabilities are calibrated in five folds."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier

    return CalibratedClassifierCV(RandomForestClassifier(random_state=settings.seed), ensemble=False)


def build_lightgbm_of_roots(settings: FitSettings) -> Any:
    """Return LightGBM that learns the root of the target."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(reg_sqrt=True, verbosity=-1)


OTHER_CANDIDATES = (
    Candidate("support_vectors", 10, build_support_vectors),
    Candidate("neighbours", 11, build_neighbours),
    Candidate("network", 12, build_network),
    Candidate("stack", 13, build_stack),
    Candidate("leafwise_catboost", 14, build_leafwise_catboost),
    Candidate("gaussian_process", 15, build_gaussian_process),
)
OF_CLASSES = (
    Candidate("naive_bayes", 16, build_naive_bayes),
    Candidate("calibrated_forest", 17, build_calibrated_forest),
)
OF_NUMBERS = (Candidate("lightgbm_of_roots", 18, build_lightgbm_of_roots),)


def make_titanic(directory: Path) -> tuple[Config, Project]:
    """Return config and project of the tests' example: two classes, categories, missing values, features."""
    columns = ("pclass", "sex", "age", "sibsp", "parch", "fare", "embarked")
    values = {
        "data": {"source": str(TITANIC), "target_column": "survived"},
        "features": {"columns": columns, "processes": ("relatives_aboard", "fare_per_person", "title", "deck")},
    }
    return Config.model_validate(values), load_project(PACKAGE)


def make_wine(directory: Path) -> tuple[Config, Project]:
    """Return config and project of scikit-learn's wines: three classes."""
    allowed = {"kind": "integer", "allowed": (0, 1, 2)}
    return _make("wine", load_wine(as_frame=True).frame, allowed, directory)


def make_diabetes(directory: Path) -> tuple[Config, Project]:
    """Return config and project of scikit-learn's diabetes data: a regression."""
    return _make("diabetes", load_diabetes(as_frame=True).frame, {"kind": "number"}, directory)


def _make(name: str, table: pd.DataFrame, target: dict[str, Any], directory: Path) -> tuple[Config, Project]:
    path = directory / f"{name}.parquet"
    table = table.rename(columns=lambda column: column.replace("/", "_"))
    table.to_parquet(path, index=False)
    columns = tuple(column for column in table.columns if column != "target")
    rules = [ColumnRule(name=column, kind="number") for column in columns]
    values = {"data": {"source": str(path), "target_column": "target"}, "features": {"columns": columns}}
    schema = RawSchema(columns=(*rules, ColumnRule(name="target", **target)))
    return Config.model_validate(values), Project(schema, (), STANDARD_CANDIDATES)


DATA_SETS = {"titanic": make_titanic, "wine": make_wine, "diabetes": make_diabetes}


@dataclass
class Sides:
    """A loaded artifact and the fitted pipeline, with the same rows for both."""

    predict_record: Callable[[dict[str, Any]], Any]
    predict_records: Callable[[list[dict[str, Any]]], Any]
    compute: Callable[[Any], Any]
    of_scikit_learn: Callable[[pd.DataFrame], Any]
    records: list[dict[str, Any]]
    engineered: list[dict[str, Any]]
    frame: pd.DataFrame


def prepare(candidate: Candidate, config: Config, project: Project, dataset: Dataset, path: Path) -> tuple[Any, Sides]:
    """Return the manifest's engine choice and both sides of one fitted candidate."""
    settings = fit_settings(config, dataset.target.task)
    parameters = {parameter.name: parameter.default for parameter in candidate.hyperparameters(dataset.target.task)}
    estimator = build_estimator(candidate, parameters, config, project, settings)
    training, holdout = dataset.raw.iloc[dataset.training_rows], dataset.raw.iloc[dataset.holdout_rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(training, dataset.target.values[dataset.training_rows])
        export_artifact(
            path=path,
            estimator=estimator,
            config=config,
            raw_schema=dataset.schema,
            task=dataset.target.task,
            classes=dataset.target.classes,
            training_raw=training,
            comparison_raw=holdout,
            name=candidate.name,
        )
    artifact = load_artifact(path, project.processes)
    pipeline = artifact.pipeline
    raw = dataset.raw.sample(N_BATCH_ROWS, replace=True, random_state=0).reset_index(drop=True)
    columns = pipeline.features.compute(to_columns(raw, pipeline.input_schema))
    frame = engineered_frame(columns, pipeline.features.kinds)
    model = serving_model(estimator)
    names = list(pipeline.input_schema.names)
    sides = Sides(
        pipeline.predict_record,
        pipeline.predict_records,
        pipeline.engine.compute,
        model.predict if dataset.target.classes is None else model.predict_proba,
        raw[names].astype(object).where(raw[names].notna(), None).to_dict("records"),
        [{name: values[[row]] for name, values in columns.items()} for row in range(len(raw))],
        frame,
    )
    return artifact.manifest.engine, sides


def median_microseconds(sides: Sides, n_rows: int) -> tuple[float, float, float]:
    """Return the median times of one row: record, engine, scikit-learn; in turns."""
    calls: tuple[tuple[Callable[[Any], Any], Any], ...] = (
        (sides.predict_record, sides.records),
        (sides.compute, sides.engineered),
        (sides.of_scikit_learn, [sides.frame.iloc[[row]] for row in range(n_rows)]),
    )
    times: list[list[int]] = [[], [], []]
    for row in range(n_rows):
        for (call, rows), measured in zip(calls, times, strict=True):
            measured.append(min(elapsed(call, rows[row]) for _ in range(3)))
    record, engine, other = (statistics.median(measured) / 1000 for measured in times)
    return record, engine, other


def elapsed(call: Callable[[Any], Any], rows: Any) -> int:
    """Return the nanoseconds of a call."""
    started = perf_counter_ns()
    call(rows)
    return perf_counter_ns() - started


def rows_per_second(sides: Sides, rounds: int) -> tuple[float, float]:
    """Return rows per second of 1,000 rows at once, of both sides in turns."""
    times: list[list[int]] = [[], []]
    for _ in range(rounds + 1):
        for call, rows, measured in (
            (sides.predict_records, sides.records, times[0]),
            (sides.of_scikit_learn, sides.frame, times[1]),
        ):
            measured.append(elapsed(call, rows))
    ours, other = (N_BATCH_ROWS / (statistics.median(measured[1:]) / 1e9) for measured in times)
    return ours, other


def measure(name: str, arguments: argparse.Namespace, directory: Path) -> Iterator[list[str]]:
    """Yield one row of the table per candidate."""
    config, project = DATA_SETS[name](directory)
    dataset = read_dataset(config, project)
    special = OF_NUMBERS if dataset.target.task == "regression" else OF_CLASSES
    for candidate in (*STANDARD_CANDIDATES, *OTHER_CANDIDATES, *special):
        if arguments.candidates and candidate.name not in arguments.candidates:
            continue
        engine, sides = prepare(candidate, config, project, dataset, directory / "model.zip")
        record, alone, other = median_microseconds(sides, arguments.rows)
        batch, other_batch = rows_per_second(sides, arguments.rounds)
        difference = "" if engine.max_difference is None else f"{engine.max_difference:.0e}"
        yield [
            name, candidate.name, engine.name, difference, f"{record:.0f}", f"{alone:.0f}", f"{other:,.0f}",
            f"{other / record:.0f}", f"{batch:,.0f}", f"{other_batch:,.0f}", f"{batch / other_batch:.1f}",
        ]  # fmt: skip


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-set", choices=DATA_SETS, help="only this one (default: all)")
    parser.add_argument("--candidates", type=lambda text: text.split(","), help="only these, separated by commas")
    parser.add_argument("--rows", type=int, default=200, help="single rows per candidate (default: 200)")
    parser.add_argument("--rounds", type=int, default=7, help="batches of 1,000 rows per candidate (default: 7)")
    arguments = parser.parse_args()
    np.seterr(all="ignore")
    print("|", " | ".join(COLUMNS), "|")
    print("|---|---|---", "|--:" * (len(COLUMNS) - 3), "|", sep="")
    with tempfile.TemporaryDirectory() as directory, threadpool_limits(1):
        for name in [arguments.data_set] if arguments.data_set else DATA_SETS:
            for row in measure(name, arguments, Path(directory)):
                print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
