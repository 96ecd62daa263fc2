"""The model that a service predicts with, exchanged while requests are answered.

A request reads :attr:`ModelHost.current` once and keeps what it got. A thread looks at the model's file, loads a
changed one beside the old one, lets it predict its example, and only then exchanges the two by one assignment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Literal

from ml_project.errors import ArtifactError

if TYPE_CHECKING:
    from ml_project.artifacts.loading import LoadedArtifact
    from ml_project.feature_engineering.process import FeatureProcess

logger = logging.getLogger(__name__)

WARM_UP_BATCHES = (1, 1, 1, 50)
"""Number of copies of the example that each prediction before the first request gets."""
SECONDS_TO_CLOSE = 10.0

EventKind = Literal["loaded", "swapped", "refused", "missing"]
FileIdentity = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """Something that happened to the model of a service.

    Attributes
    ----------
    kind
        ``loaded``: the first model; ``swapped``: another version took over; ``refused``: the file cannot be used, and
        the model before, if any, goes on; ``missing``: there is no file, likewise.
    version
        Version that serves from now on, ``None`` where none does.
    previous_version
        Version that served until now, ``None`` where none did.
    reason
        Why a file was refused or is missing; empty otherwise.
    seconds
        Time that loading and warming up took.
    """

    kind: EventKind
    version: str | None
    previous_version: str | None
    reason: str = ""
    seconds: float = 0.0


def _ignore(_event: ModelEvent) -> None:
    """Do nothing."""


class _Wish(Enum):
    """What the watching thread is asked for."""

    RELOAD = "reload"
    CLOSE = "close"


class ModelHost:
    """Holds the model of one process and follows its file.

    Parameters
    ----------
    path
        File of the exported model.
    processes
        The feature processes of this code.
    check_seconds
        Seconds between two looks at the file.
    on_event
        Called with every event, mostly in the watching thread.

    Attributes
    ----------
    current
        The model to predict with, ``None`` until there is one. To be read once per request.
    """

    def __init__(
        self,
        path: Path,
        processes: Sequence[FeatureProcess],
        *,
        check_seconds: float = 2.0,
        on_event: Callable[[ModelEvent], None] = _ignore,
    ) -> None:
        self.path = path
        self.current: LoadedArtifact | None = None
        self._processes = tuple(processes)
        self._check_seconds = check_seconds
        self._on_event = on_event
        self._seen: FileIdentity | None = None
        self._told_missing = False
        self._retired: LoadedArtifact | None = None
        self._loading = Lock()
        # A queue and not an Event, because only the queue may be used in a signal handler that interrupts another one.
        self._wishes: SimpleQueue[_Wish] = SimpleQueue()
        self._thread: Thread | None = None

    def load(self) -> LoadedArtifact:
        """Load the file as it is now, let it predict its example, and return it.

        Raises
        ------
        ArtifactError
            When there is no usable file; the model before, if any, goes on.
        """
        with self._loading:
            seen = _identify(self.path)
            artifact = self._take_over()
            self._seen = seen
        return artifact

    def watch(self) -> None:
        """Start to follow the file in a thread of its own; a second call does nothing."""
        if self._thread is None:
            self._thread = Thread(target=self._follow, name="model-host", daemon=True)
            self._thread.start()

    def request_reload(self) -> None:
        """Look at the file at once and load it even if it looks unchanged; may be called by a signal handler."""
        self._wishes.put(_Wish.RELOAD)

    def close(self) -> None:
        """End the thread; the model stays usable."""
        if self._thread is not None:
            self._wishes.put(_Wish.CLOSE)
            self._thread.join(SECONDS_TO_CLOSE)

    def _follow(self) -> None:
        wish: _Wish | None = None
        while wish is not _Wish.CLOSE:
            self._look(even_if_unchanged=wish is _Wish.RELOAD)
            wish = self._next_wish()
            # Requests that began before the exchange are over, so its memory is freed here and in none of them.
            self._retired = None

    def _next_wish(self) -> _Wish | None:
        """Wait until the next look is due or asked for; several wishes are fulfilled at once."""
        wishes = set()
        with suppress(Empty):
            wishes.add(self._wishes.get(timeout=self._check_seconds))
            while True:
                wishes.add(self._wishes.get_nowait())
        return _Wish.CLOSE if _Wish.CLOSE in wishes else next(iter(wishes), None)

    def _look(self, *, even_if_unchanged: bool) -> None:
        with self._loading:
            found = _identify(self.path)
            if found is None:
                self._tell_missing()
            elif found != self._seen or even_if_unchanged:
                self._try(found)

    def _try(self, found: FileIdentity) -> None:
        """Take the file over, or say why not."""
        started = time.perf_counter()
        try:
            self._take_over()
        except ArtifactError as error:
            if _identify(self.path) != found:
                return  # it is being written; the next look finds it changed
            self._tell("refused", self._version(), str(error), time.perf_counter() - started)
        self._seen = found

    def _take_over(self) -> LoadedArtifact:
        self._told_missing = False
        started = time.perf_counter()
        artifact = load_ready(self.path, self._processes)
        previous = self._version()
        self._retired, self.current = self.current, artifact
        seconds = time.perf_counter() - started
        if artifact.model_version == previous:
            logger.info("The model's file %s was read again: version %s as before", self.path, previous)
        else:
            self._tell("loaded" if previous is None else "swapped", previous, "", seconds)
        return artifact

    def _version(self) -> str | None:
        return None if self.current is None else self.current.model_version

    def _tell_missing(self) -> None:
        self._seen = None
        if not self._told_missing:
            self._told_missing = True
            self._tell("missing", self._version(), f"There is no file {self.path}", 0.0)

    def _tell(self, kind: EventKind, previous: str | None, reason: str, seconds: float) -> None:
        event = ModelEvent(kind, self._version(), previous, reason, seconds)
        level = logging.INFO if kind in ("loaded", "swapped") else logging.WARNING
        details = {"model_event": kind, "model_version": event.version}
        logger.log(level, "%s", _describe(event, self.path), extra=details)
        try:
            self._on_event(event)
        except Exception:  # a listener's fault must not count as one of the model
            logger.exception("What listens to the events of the model failed")


def load_ready(path: Path, processes: Sequence[FeatureProcess]) -> LoadedArtifact:
    """Return an exported model that has predicted its own example, so that no request pays for what happens only once.

    Parameters
    ----------
    path
        File of the exported model.
    processes
        The feature processes of this code.

    Raises
    ------
    ArtifactError
        Whatever is wrong with the file.
    """
    from ml_project.artifacts.loading import load_artifact

    try:
        artifact = load_artifact(path, processes)
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(f"{path} cannot be loaded ({_shown(error)}); export the model again") from error
    try:
        _predict_example(artifact)
    except Exception as error:
        raise ArtifactError(f"{path} cannot predict its own example ({_shown(error)}); export it again") from error
    return artifact


def _predict_example(artifact: LoadedArtifact) -> None:
    example = artifact.example
    for n_copies in WARM_UP_BATCHES:
        scored = artifact.pipeline.score_records([example] * n_copies)
        artifact.pipeline.to_answers(scored.outputs)
        artifact.outlier_check.find(scored.records)


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _identify(path: Path) -> FileIdentity | None:
    """Return what differs between two contents of a file; ``None`` where there is no file.

    The time of the inode's last change is a part of it, because a copy can bring the old time of its content along.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _describe(event: ModelEvent, path: Path) -> str:
    """Return an event as a sentence."""
    goes_on = "no model is served" if event.version is None else f"version {event.version} goes on"
    match event.kind:
        case "loaded":
            return f"Model version {event.version} was loaded from {path} in {event.seconds:.2f} s"
        case "swapped":
            return (
                f"Model version {event.version} replaced version {event.previous_version}, "
                f"loaded from {path} in {event.seconds:.2f} s"
            )
        case "refused":
            return f"The model's file was refused, {goes_on}: {event.reason}"
        case "missing":
            return f"{event.reason}, {goes_on}"
