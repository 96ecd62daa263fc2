"""The search for one candidate's hyper-parameters, as a state machine that asks for folds to be scored.

Trials are drawn in batches of fixed size and reported in order, each batch from a sampler seeded by its place. So the
result depends on the seed only: not on the number of processes, on who finishes first, or on an interruption between.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ml_project.modelling.candidates import Candidate
from ml_project.modelling.fitting import FoldResult
from ml_project.modelling.search_space import Hyperparameter
from ml_project.modelling.trials import Trial

if TYPE_CHECKING:
    import optuna

N_TRIALS_BEFORE_PRUNING = 4
N_RANDOM_TRIALS = 4


@dataclass(frozen=True)
class SearchSettings:
    """What the searches of all candidates share.

    Attributes
    ----------
    metric
        Ranking metric; greater is better.
    n_trials
        Trials per candidate; a candidate without hyper-parameters has one.
    n_folds
        Folds per trial, repetitions included.
    n_parallel_trials
        Trials that are drawn together.
    prune
        Whether a trial stops when the best of its running means is below the median of the complete trials' means
        after as many folds.
    time_budget_seconds
        Seconds of fitting after which no new trial is drawn; ``None`` for no limit.
    seed
        Start of the random sequences.
    """

    metric: str
    n_trials: int
    n_folds: int
    n_parallel_trials: int = 2
    prune: bool = True
    time_budget_seconds: float | None = None
    seed: int = 42


@dataclass(frozen=True)
class FoldJob:
    """One fold of one trial, to be scored."""

    candidate: str
    trial: int
    fold: int
    estimator: Any


class CandidateSearch:
    """The search of one candidate.

    Parameters
    ----------
    candidate
        The candidate.
    hyperparameters
        What is searched.
    build
        Function from hyper-parameters to an unfitted estimator.
    settings
        What the searches share.
    journal
        Study to which finished trials are written, and from which an interrupted search goes on; ``None`` for none.
    """

    def __init__(
        self,
        candidate: Candidate,
        hyperparameters: tuple[Hyperparameter, ...],
        build: Callable[[Mapping[str, Any]], Any],
        settings: SearchSettings,
        journal: optuna.Study | None = None,
    ) -> None:
        import optuna

        self.candidate = candidate
        self.trials: list[Trial] = []
        self.n_trials = settings.n_trials if hyperparameters else 1
        self.n_resumed = 0
        self._hyperparameters = hyperparameters
        self._build = build
        self._settings = settings
        self._journal = journal
        self._open: list[optuna.trial.Trial] = []
        pruner = optuna.pruners.MedianPruner(n_startup_trials=N_TRIALS_BEFORE_PRUNING)
        self._study = optuna.create_study(
            direction="maximize", pruner=pruner if settings.prune else optuna.pruners.NopPruner()
        )
        self._resume()

    @property
    def is_finished(self) -> bool:
        """Return whether no trial is open and none is to come."""
        return not self._open and not self._may_draw()

    @property
    def best(self) -> Trial | None:
        """Return the complete trial with the best mean, the earliest among equals; ``None`` where none is complete."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: trial.mean(self._settings.metric), default=None)

    def start(self) -> list[FoldJob]:
        """Return the first jobs."""
        return self._draw_batch()

    def receive(self, job: FoldJob, result: FoldResult) -> list[FoldJob]:
        """Take the result of a job and return the jobs that follow from it."""
        trial = self.trials[job.trial]
        trial.results.append(result)
        if result.failure is not None:
            trial.finish("failed", result.failure)
        elif trial.n_folds_done == self._settings.n_folds:
            trial.finish("complete")
        elif self._should_prune(trial):
            trial.finish("pruned", f"below the median after {trial.n_folds_done} of {self._settings.n_folds} folds")
        else:
            return [self._job(trial)]
        if any(self.trials[opened.number].state == "running" for opened in self._open):
            return []
        self._close_batch()
        return self._draw_batch()

    def _may_draw(self) -> bool:
        budget = self._settings.time_budget_seconds
        in_time = budget is None or not self.trials or self._seconds_of_fitting() < budget
        return in_time and len(self.trials) < self.n_trials

    def _seconds_of_fitting(self) -> float:
        # not the time that has passed, of which others have used a part: all candidates share the workers
        return sum(result.fit_seconds for trial in self.trials for result in trial.results)

    def _draw_batch(self) -> list[FoldJob]:
        if not self._may_draw():
            return []
        n_done = len(self.trials)
        if n_done == 0:
            self._study.enqueue_trial({parameter.name: parameter.default for parameter in self._hyperparameters})
        self._study.sampler = self._sampler(n_done)
        for _ in range(min(self._settings.n_parallel_trials, self.n_trials - n_done)):
            drawn = self._study.ask()
            self._open.append(drawn)
            self.trials.append(
                Trial(drawn.number, {parameter.name: parameter.suggest(drawn) for parameter in self._hyperparameters})
            )
        return [self._job(self.trials[drawn.number]) for drawn in self._open]

    def _sampler(self, n_done: int) -> optuna.samplers.BaseSampler:
        import optuna

        seed = zlib.crc32(f"{self._settings.seed} {self.candidate.name} {n_done}".encode())
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=N_RANDOM_TRIALS)

    def _job(self, trial: Trial) -> FoldJob:
        return FoldJob(self.candidate.name, trial.number, trial.n_folds_done, self._build(trial.parameters))

    def _should_prune(self, trial: Trial) -> bool:
        opened = next(opened for opened in self._open if opened.number == trial.number)
        opened.report(trial.mean(self._settings.metric), step=trial.n_folds_done)
        return opened.should_prune()

    def _close_batch(self) -> None:
        from optuna.trial import TrialState

        states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        for opened in self._open:
            trial = self.trials[opened.number]
            opened.set_user_attr("course", _to_json(trial))
            value = trial.mean(self._settings.metric) if trial.state == "complete" else None
            self._study.tell(opened, value, state=states[trial.state])
            if self._journal is not None and opened.number >= self._n_in_journal:
                self._journal.add_trial(self._study.get_trials(deepcopy=False)[opened.number])
        self._open = []

    def _resume(self) -> None:
        # A batch that was cut off half-way is drawn again: its seed is that of its place.
        finished = self._journal.trials if self._journal is not None else []
        whole = (
            len(finished)
            if len(finished) == self.n_trials
            else len(finished) - len(finished) % self._settings.n_parallel_trials
        )
        self._study.add_trials(finished[:whole])
        self.trials = [_from_json(trial.number, trial.params, trial.user_attrs["course"]) for trial in finished[:whole]]
        self.n_resumed = whole
        self._n_in_journal = len(finished)


def _to_json(trial: Trial) -> dict[str, Any]:
    return {
        "state": trial.state,
        "reason": trial.reason,
        "started_at": trial.started_at.isoformat(),
        "finished_at": trial.finished_at.isoformat() if trial.finished_at else None,
        "results": [
            {
                "scores": dict(result.scores),
                "fit_seconds": result.fit_seconds,
                "failure": result.failure,
                "warnings": list(result.warnings),
            }
            for result in trial.results
        ],
    }


def _from_json(number: int, parameters: Mapping[str, Any], course: Mapping[str, Any]) -> Trial:
    results = [
        FoldResult(item["scores"], item["fit_seconds"], item["failure"], tuple(item["warnings"]))
        for item in course["results"]
    ]
    return Trial(
        number=number,
        parameters=dict(parameters),
        results=results,
        state=course["state"],
        reason=course["reason"],
        started_at=datetime.fromisoformat(course["started_at"]),
        finished_at=datetime.fromisoformat(course["finished_at"]),
    )
