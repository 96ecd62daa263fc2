"""Compare the leaderboard, MLflow included, with bare scikit-learn cross-validation of the same fits.

Both sides run in fresh processes with the same number of worker processes, in alternating order, on the same pipelines
and hyper-parameters: those that the leaderboard's search has drawn. Pruning is off, so that every fit counts on both
sides. The bare side calls ``sklearn.model_selection.cross_validate`` once per trial and fits each candidate's best
trial once on all rows, as the leaderboard does. Times start after the imports and include starting the workers.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd

from ml_project.config import Config
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.modelling.project_parts import Project

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' project
GOAL = 1.15


def make_titanic(directory: Path) -> tuple[dict, Project]:
    """Return config values and project of the tests' example."""
    from ml_project.config import MODELLING
    from ml_project.project_package import load_project
    from tests.example.use_case_config import build_config
    from tests.workspace import PACKAGE, TITANIC

    values = build_config(MODELLING).model_dump(exclude_unset=True)
    values["data"]["source"] = str(TITANIC)
    return values, load_project(PACKAGE)


def make_breast_cancer(directory: Path) -> tuple[dict, Project]:
    """Return config values and project of scikit-learn's breast cancer data, written to a file."""
    from sklearn.datasets import load_breast_cancer

    from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES

    table = load_breast_cancer(as_frame=True).frame
    path = directory / "breast_cancer.parquet"
    table.to_parquet(path, index=False)
    columns = tuple(str(name) for name in table.columns if name != "target")
    rules = [ColumnRule(name=name, kind="number", minimum=0) for name in columns]
    rules.append(ColumnRule(name="target", kind="integer", allowed=(0, 1)))
    values = {"data": {"source": str(path), "target_column": "target"}, "features": {"columns": columns}}
    return values, Project(RawSchema(columns=tuple(rules)), (), STANDARD_CANDIDATES)


DATA_SETS = {"titanic": make_titanic, "breast_cancer": make_breast_cancer}


def prepare(arguments: argparse.Namespace) -> tuple[Config, Project]:
    """Return config and project of one side."""
    directory = arguments.directory
    values, project = DATA_SETS[arguments.data_set](directory)
    values["modelling"] = {
        "candidates": arguments.candidates.split(",") if arguments.candidates else None,
        "n_hyperparameter_optimisation_runs": arguments.trials,
        "prune": False,
        "search_directory": directory / "search",
    }
    values["compute"] = {"n_processes": arguments.processes}
    values["tracking"] = {"tracking_uri": f"sqlite:///{directory}/mlflow.db", "experiment": arguments.data_set}
    return Config.model_validate(values), project


def run_leaderboard(config: Config, project: Project, trials_file: Path) -> float:
    """Return the seconds of a leaderboard with tracking, and write its trials."""
    import optuna  # noqa: F401  imports are not timed

    from ml_project.modelling.candidate_runs import run_candidates
    from ml_project.modelling.candidates import select_candidates
    from ml_project.modelling.code_version import CodeVersion
    from ml_project.modelling.leaderboard import choose_winner, to_frame
    from ml_project.modelling.records import record_searches, record_start
    from ml_project.modelling.training_data import make_training_data, read_dataset
    from ml_project.tracking.tracker import open_tracker

    candidates = select_candidates(project.candidates, config.modelling.candidates)
    dataset = read_dataset(config, project)
    started = time.perf_counter()
    data = make_training_data(dataset, config, project)
    with open_tracker(config) as tracker:
        record_start(tracker, config, dataset, CodeVersion(None, None))
        entries = run_candidates(
            candidates,
            config,
            project,
            dataset,
            data,
            lambda searches: record_searches(tracker, searches, data.metrics[0]),
        )
        leaderboard = to_frame(entries, choose_winner(entries, config.modelling.selection_rule))
        tracker.log_table(leaderboard, "leaderboard")
        tracker.finish()
    seconds = time.perf_counter() - started
    trials = {entry.name: [dict(trial.parameters) for trial in entry.search.trials] for entry in entries}
    best = {entry.name: entry.best.number for entry in entries if entry.best}
    trials_file.write_text(json.dumps({"trials": trials, "best": best}))
    return seconds


def run_bare(config: Config, project: Project, trials_file: Path) -> float:
    """Return the seconds of scikit-learn's cross-validation of the same trials."""
    from joblib import Parallel, delayed
    from sklearn.model_selection import cross_validate

    from ml_project.modelling.candidates import select_candidates
    from ml_project.modelling.estimators import build_estimator, fit_settings
    from ml_project.modelling.training_data import make_training_data, read_dataset

    plan = json.loads(trials_file.read_text())
    candidates = {c.name: c for c in select_candidates(project.candidates, config.modelling.candidates)}
    dataset = read_dataset(config, project)
    settings = fit_settings(config, dataset.task)
    n_processes = config.compute.n_processes
    os.environ["PYTHONWARNINGS"] = "ignore"
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    data = make_training_data(dataset, config, project)

    def build(name: str, trial: int) -> object:
        return build_estimator(candidates[name], plan["trials"][name][trial], config, project, settings)

    for name, trials in plan["trials"].items():
        for number in range(len(trials)):
            cross_validate(
                build(name, number), data.raw, data.target, cv=data.folds, scoring=data.metrics[0], n_jobs=n_processes
            )
    Parallel(n_jobs=n_processes)(
        delayed(lambda estimator: estimator.fit(data.raw, data.target))(build(name, number))
        for name, number in plan["best"].items()
    )
    return time.perf_counter() - started


def run_side(arguments: argparse.Namespace) -> None:
    """Run one side in this process and print its seconds as the last line."""
    config, project = prepare(arguments)
    side = {"leaderboard": run_leaderboard, "bare": run_bare}[arguments.side]
    print(side(config, project, arguments.directory / "trials.json"))


def measure(side: str, data_set: str, directory: Path, arguments: argparse.Namespace) -> float:
    """Return the seconds of one side, run in a fresh process."""
    words = ["--side", side, "--data-set", data_set, "--directory", str(directory)]
    words += ["--trials", str(arguments.trials), "--processes", str(arguments.processes)]
    words += ["--candidates", arguments.candidates]
    process = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
    return float(process.stdout.splitlines()[-1])


def compare(data_set: str, arguments: argparse.Namespace) -> None:
    """Print the figures of one data set."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        first = measure("leaderboard", data_set, directory, arguments)  # creates MLflow's database
        seconds: dict[str, list[float]] = {"bare": [], "leaderboard": []}
        for _ in range(arguments.rounds):
            for side, measured in seconds.items():
                measured.append(measure(side, data_set, directory, arguments))
        plan = json.loads((directory / "trials.json").read_text())
    medians = pd.Series({side: statistics.median(measured) for side, measured in seconds.items()})
    n_fits = sum(map(len, plan["trials"].values()))
    print(f"{data_set}: {n_fits} trials, {arguments.processes} processes, {arguments.rounds} rounds")
    for side, measured in seconds.items():
        print(f"  {side:<12} median {medians[side]:7.2f} s   all {', '.join(f'{value:.2f}' for value in measured)}")
    print(f"  ratio        {medians['leaderboard'] / medians['bare']:.2f} (goal: at most {GOAL})")
    print(
        f"  first run, which creates MLflow's database: {first:.2f} s, {first / medians['bare']:.2f} times bare"
    )


def main() -> None:
    """Compare on every data set, or run one side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds per data set (default: 3)")
    parser.add_argument("--trials", type=int, default=10, help="trials per candidate (default: 10)")
    parser.add_argument(
        "--processes", type=int, default=len(os.sched_getaffinity(0)), help="worker processes (default: one per core)"
    )
    parser.add_argument("--candidates", default="", help="only these, with commas between them (default: all)")
    parser.add_argument("--data-set", choices=DATA_SETS, help="only this one (default: all)")
    parser.add_argument("--side", choices=("leaderboard", "bare"), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments)
        return
    for data_set in [arguments.data_set] if arguments.data_set else DATA_SETS:
        compare(data_set, arguments)


if __name__ == "__main__":
    main()
