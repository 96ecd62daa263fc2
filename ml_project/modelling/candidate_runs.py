"""The search over all candidates of a run, and the fit of each best trial on all training rows."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ml_project.artifacts.compatibility import installed_versions
from ml_project.config import Config
from ml_project.feature_engineering.fingerprint import source_fingerprint
from ml_project.modelling.candidate_search import CandidateSearch, SearchSettings
from ml_project.modelling.candidates import Candidate, FitSettings
from ml_project.modelling.estimators import build_estimator, fit_settings
from ml_project.modelling.fit_pool import FitPool, WorkerDied, fit_pool, has_died
from ml_project.modelling.fitting import FinalFit, TrainingData, fit_finally, reason
from ml_project.modelling.journal import OpenStudy, search_fingerprint
from ml_project.modelling.leaderboard import Entry, choose_winner
from ml_project.modelling.progress import search_progress
from ml_project.modelling.project_parts import Project
from ml_project.modelling.search import WORKER_DIED, run_searches
from ml_project.modelling.training_data import Dataset

logger = logging.getLogger(__name__)

MODEL_LIBRARIES = ("sklearn", "imblearn", "optuna", "xgboost", "lightgbm", "catboost")
Build = Callable[[], Any]
OnSearched = Callable[[Sequence[CandidateSearch]], None]


def run_candidates(
    candidates: Sequence[Candidate],
    config: Config,
    project: Project,
    dataset: Dataset,
    data: TrainingData,
    on_searched: OnSearched = lambda _: None,
    open_study: OpenStudy = lambda _: None,
) -> list[Entry]:
    """Search every candidate and fit each one's best trial on all training rows.

    Only the entry that the config's rule selects keeps its fitted estimator.

    Parameters
    ----------
    candidates
        Candidates to search.
    config, project
        What the pipelines are made of.
    dataset, data
        The rows, and what the workers need of them.
    on_searched
        Called with the searches when they are done, before the last fits.
    open_study
        What :func:`ml_project.modelling.journal.search_journal` yields; by default nothing is kept for a resumption.

    Raises
    ------
    ModellingError
        When every candidate failed.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings = fit_settings(config, dataset.task)
    with fit_pool(data, config.compute.n_processes, config.compute.n_threads) as pool:
        searches = [_open_search(candidate, config, project, settings, data, open_study) for candidate in candidates]
        _report_resumption(searches)
        with search_progress(searches, data.metrics[0], len(data.folds)) as on_fold:
            run_searches(searches, pool, on_fold)
        on_searched(searches)
        return _fit_best_trials([Entry(search, data.metrics) for search in searches], config, project, settings, pool)


def _open_search(
    candidate: Candidate,
    config: Config,
    project: Project,
    settings: FitSettings,
    data: TrainingData,
    open_study: OpenStudy,
) -> CandidateSearch:
    modelling = config.modelling
    search_settings = SearchSettings(
        metric=data.metrics[0],
        n_trials=modelling.n_hyperparameter_optimisation_runs,
        n_folds=len(data.folds),
        n_parallel_trials=modelling.n_parallel_trials,
        prune=modelling.prune,
        time_budget_seconds=modelling.time_budget_seconds,
        seed=config.compute.seed,
    )
    return CandidateSearch(
        candidate,
        candidate.hyperparameters(settings.task),
        lambda parameters: build_estimator(candidate, parameters, config, project, settings),
        search_settings,
        open_study(candidate.name),
    )


def _fit_best_trials(
    entries: Sequence[Entry], config: Config, project: Project, settings: FitSettings, pool: FitPool
) -> list[Entry]:
    """Return the entries with their last fits; should the winner's fail, the next best keeps its estimator."""
    winner = choose_winner(entries, config.modelling.selection_rule)
    builders = {
        entry.name: partial(build_estimator, entry.search.candidate, entry.best.parameters, config, project, settings)
        for entry in entries
        if entry.best is not None
    }
    finals = _fit_all(builders, winner.name, pool)
    fitted = [replace(entry, final=finals.get(entry.name)) for entry in entries]
    winner = choose_winner(fitted, config.modelling.selection_rule)
    while winner.final is None or winner.final.estimator is None:
        final = _fit_alone(builders[winner.name], True, pool)
        fitted = [replace(entry, final=final) if entry.name == winner.name else entry for entry in fitted]
        winner = choose_winner(fitted, config.modelling.selection_rule)
    return fitted


def _fit_all(builders: Mapping[str, Build], kept: str, pool: FitPool) -> dict[str, FinalFit]:
    """Return the last fits of all candidates; should a worker die, those lost with it run once more, each alone."""
    futures = {name: pool.submit(fit_finally, build(), name == kept) for name, build in builders.items()}
    if any(has_died(future) for future in wait(futures.values()).done):
        pool.restart()
    return {
        name: _fit_alone(builders[name], name == kept, pool) if has_died(future) else _result(future)
        for name, future in futures.items()
    }


def _fit_alone(build: Build, keep_estimator: bool, pool: FitPool) -> FinalFit:
    try:
        return pool.run_alone(fit_finally, build(), keep_estimator)
    except WorkerDied:
        return FinalFit.failed(WORKER_DIED)


def _result(future: Future[FinalFit]) -> FinalFit:
    error = future.exception()  # such as that of a fitted estimator that cannot be sent to another process
    return future.result() if error is None else FinalFit.failed(reason(error))


def _report_resumption(searches: Sequence[CandidateSearch]) -> None:
    n_resumed = sum(search.n_resumed for search in searches)
    if n_resumed:
        logger.warning("Going on with an interrupted search: %d trials are already done.", n_resumed)


def search_identity(candidates: Sequence[Candidate], config: Config, project: Project, dataset: Dataset) -> str:
    """Return the hash of everything that decides the trials' scores."""
    modelling = config.modelling.model_dump(
        mode="json", exclude={"selection_rule", "search_directory", "time_budget_seconds"}
    )
    compute = config.compute.model_dump(mode="json", exclude={"n_processes"})
    processes = {process.name: source_fingerprint(process) for process in project.processes}
    return search_fingerprint(
        {
            "data": dataset.fingerprint,
            "config": config.model_dump(mode="json", include={"splits", "features", "preprocessing"})
            | {
                "modelling": modelling,
                "compute": compute,
                "target": config.data.target_column,
                "classes": dataset.target.classes,
            },
            "processes": {name: processes[name] for name in config.features.processes},
            "search_spaces": {
                candidate.name: repr(candidate.hyperparameters(dataset.task)) for candidate in candidates
            },
            "candidates": {candidate.name: _source(candidate) for candidate in candidates},
            "libraries": installed_versions(MODEL_LIBRARIES),
        }
    )


def _source(candidate: Candidate) -> str:
    """Return the source of the module that builds a candidate: with another one, earlier trials do not count."""
    try:
        return Path(inspect.getfile(inspect.unwrap(candidate.build))).read_text(encoding="utf-8")
    except (OSError, TypeError):
        return type(candidate.build).__qualname__
