"""Progress of a search: bars in a terminal, a line per finished candidate elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ml_project.modelling.candidate_search import CandidateSearch

OnFold = Callable[[CandidateSearch], None]


@contextmanager
def search_progress(searches: Sequence[CandidateSearch], metric: str, n_folds: int) -> Iterator[OnFold]:
    """Show the progress of searches on standard error for a with-block.

    Yields
    ------
    Callable
        To be called with a search after each of its folds.
    """
    if sys.stderr.isatty():
        with _bars(searches, metric, n_folds) as on_fold:
            yield on_fold
    else:
        yield _lines(metric)


@contextmanager
def _bars(searches: Sequence[CandidateSearch], metric: str, n_folds: int) -> Iterator[OnFold]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[best]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {
            search.candidate.name: progress.add_task(search.candidate.name, total=search.n_trials * n_folds, best="")
            for search in searches
        }

        def on_fold(search: CandidateSearch) -> None:
            # a pruned or failed trial counts as all of its folds
            done = sum(trial.n_folds_done if trial.state == "running" else n_folds for trial in search.trials)
            total = done if search.is_finished else search.n_trials * n_folds
            progress.update(tasks[search.candidate.name], completed=done, total=total, best=_best(search, metric))

        yield on_fold


def _lines(metric: str) -> OnFold:
    reported: set[str] = set()

    def on_fold(search: CandidateSearch) -> None:
        name = search.candidate.name
        if search.is_finished and name not in reported:
            reported.add(name)
            print(f"{name}: {len(search.trials)} trials, {_best(search, metric)}", file=sys.stderr, flush=True)  # noqa: T201

    return on_fold


def _best(search: CandidateSearch, metric: str) -> str:
    if search.best is not None:
        return f"best {metric} {search.best.mean(metric):.4f}"
    return "no complete trial" if search.is_finished else ""
