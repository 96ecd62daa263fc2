"""The model of a service: exchanged under load, refused when it is unusable, kept when its file goes away."""

import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PosixPath

import pytest

from ml_project.artifacts.container import read_container, write_container
from ml_project.artifacts.export import store_metrics
from ml_project.artifacts.loading import load_artifact
from ml_project.errors import ArtifactDamagedError, ArtifactError
from ml_project.safe_file import replace_file
from ml_project.serving.model_host import ModelEvent, ModelHost
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES

CHECK_SECONDS = 0.02
NEVER = 1000.0
DEADLINE_SECONDS = 30


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.005)


class WatchedPath(PosixPath):
    """A path that counts the looks at its file, and can do something just before one."""

    n_looks = 0

    def before_look(self) -> None:
        """Do nothing."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        self.before_look()
        self.n_looks += 1
        return super().stat(follow_symlinks=follow_symlinks)


class Hosted:
    """A host of a file in a folder of its own, and its events."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.path = WatchedPath(folder, "served", "model.zip")
        self.path.parent.mkdir()
        self.events: list[ModelEvent] = []
        self.host = ModelHost(
            self.path, FEATURE_PROCESSES, **{"check_seconds": CHECK_SECONDS, "on_event": self.events.append, **settings}
        )

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    @property
    def version(self) -> str | None:
        return None if self.host.current is None else self.host.current.model_version

    def wait_for(self, *kinds: str) -> None:
        wait_until(lambda: len(self.kinds) >= len(kinds))
        assert self.kinds == list(kinds)

    def wait_for_looks(self, n_looks: int) -> None:
        wanted = self.path.n_looks + n_looks
        wait_until(lambda: self.path.n_looks >= wanted)

    def serve(self, artifact: Path) -> None:
        replace_file(self.path, artifact.read_bytes())
        self.host.load()
        self.host.watch()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two exported models by version."""
    folder = tmp_path_factory.mktemp("versions")
    fitted = [fit(name) for name in ("linear", "decision_tree")]
    paths = [model.export(folder / f"{model.name}.zip", config=model.with_engine("onnx")) for model in fitted]
    return {load_artifact(path, FEATURE_PROCESSES).model_version: path for path in paths}


@pytest.fixture(scope="module")
def first(artifacts: dict[str, Path]) -> tuple[str, Path]:
    return next(iter(artifacts.items()))


@pytest.fixture(scope="module")
def second(artifacts: dict[str, Path]) -> tuple[str, Path]:
    return list(artifacts.items())[1]


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    found = Hosted(tmp_path)
    yield found
    found.host.close()


@pytest.fixture
def rarely_looking(tmp_path: Path, first: tuple[str, Path]) -> Iterator[Hosted]:
    """A host that serves the first version and looks only when asked to."""
    found = Hosted(tmp_path, check_seconds=NEVER)
    found.serve(first[1])
    yield found
    found.host.close()


@pytest.fixture
def serving(hosted: Hosted, first: tuple[str, Path]) -> Hosted:
    """A host that serves the first version and looks all the time."""
    hosted.serve(first[1])
    assert (hosted.version, hosted.kinds) == (first[0], ["loaded"])
    return hosted


def test_load_usable_file_is_returned_and_current(hosted: Hosted, first: tuple[str, Path]) -> None:
    replace_file(hosted.path, first[1].read_bytes())
    loaded = hosted.host.load()
    assert hosted.host.current is loaded
    (event,) = hosted.events
    assert (event.kind, event.version, event.previous_version, event.reason) == ("loaded", first[0], None, "")
    assert event.seconds > 0


def test_load_no_file_raises_and_serves_nothing(hosted: Hosted) -> None:
    with pytest.raises(ArtifactError, match=r"no artifact at .*model\.zip"):
        hosted.host.load()
    assert (hosted.host.current, hosted.events) == (None, [])


def test_load_damaged_file_raises_and_the_model_before_goes_on(hosted: Hosted, first: tuple[str, Path]) -> None:
    replace_file(hosted.path, first[1].read_bytes())
    hosted.host.load()
    truncated(first[1], hosted.path)
    with pytest.raises(ArtifactDamagedError, match="truncated"):
        hosted.host.load()
    assert hosted.version == first[0]


def test_load_model_that_cannot_predict_its_example_is_refused(hosted: Hosted, first: tuple[str, Path]) -> None:
    other_example(first[1], hosted.path)
    with pytest.raises(ArtifactError, match=r"cannot predict its own example(.|\n)*age = 'old'"):
        hosted.host.load()


def test_load_nonsense_with_fitting_hashes_is_refused(hosted: Hosted, first: tuple[str, Path]) -> None:
    nonsense_in_place_of_features(first[1], hosted.path)
    with pytest.raises(ArtifactError, match=r"model\.zip cannot be loaded \(KeyError: .*; export the model again"):
        hosted.host.load()


def test_watch_first_file_appears_is_loaded(hosted: Hosted, first: tuple[str, Path]) -> None:
    hosted.host.watch()
    hosted.wait_for("missing")
    assert (hosted.version, hosted.events[0].previous_version) == (None, None)
    replace_file(hosted.path, first[1].read_bytes())
    hosted.wait_for("missing", "loaded")
    assert hosted.version == first[0]


def test_watch_swaps_under_load_every_answer_is_that_of_its_version(
    serving: Hosted, artifacts: dict[str, Path], first: tuple[str, Path]
) -> None:
    example = serving.host.current.example
    pipelines = {version: load_artifact(path, FEATURE_PROCESSES).pipeline for version, path in artifacts.items()}
    wanted = {version: pipeline.predict_record(example) for version, pipeline in pipelines.items()}
    assert len({json.dumps(answer) for answer in wanted.values()}) == 2
    ended = threading.Event()

    def send_requests() -> dict[str, int]:
        n_answers = dict.fromkeys(wanted, 0)
        while not ended.is_set():
            model = serving.host.current
            assert model.pipeline.predict_record(example) == wanted[model.model_version]
            n_answers[model.model_version] += 1
        return n_answers

    with ThreadPoolExecutor(4) as threads:
        clients = [threads.submit(send_requests) for _ in range(4)]
        try:
            for path, n_swaps in zip(itertools.cycle(reversed(artifacts.values())), range(1, 9), strict=False):
                replace_file(serving.path, path.read_bytes())
                serving.wait_for("loaded", *["swapped"] * n_swaps)
        finally:
            ended.set()
    counts = [client.result() for client in clients]
    assert (serving.events[1].previous_version, serving.version) == (first[0], first[0])
    assert all(sum(count[version] for count in counts) > 0 for version in wanted)


def write_changed(path: Path, target: Path, *, example: bytes | None = None, **manifest: object) -> None:
    """Write an artifact with changes, and with hashes that fit them."""
    members = read_container(path)
    description = json.loads(members["manifest.json"]) | manifest
    if example is not None:
        members["example.json"] = example
        description["members"]["example.json"] = hashlib.sha256(example).hexdigest()
    write_container(target, {**members, "manifest.json": json.dumps(description).encode()})


def truncated(path: Path, target: Path) -> None:
    replace_file(target, path.read_bytes()[:-1000])


def one_changed_byte(path: Path, target: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    replace_file(target, bytes(content))


def other_format(path: Path, target: Path) -> None:
    write_changed(path, target, format_version=99)


def other_libraries(path: Path, target: Path) -> None:
    write_changed(path, target, library_versions={"onnxruntime": "99.0.0"})


def other_example(path: Path, target: Path) -> None:
    write_changed(path, target, example=b'{"age": "old"}')


def other_features(path: Path, target: Path) -> None:
    features = json.loads(read_container(path)["manifest.json"])["features"]
    unknown = json.loads(json.dumps(features).replace('"title"', '"unknown_process"'))
    write_changed(path, target, features=unknown)


def nonsense_in_place_of_features(path: Path, target: Path) -> None:
    write_changed(path, target, features={})


def empty_file(_path: Path, target: Path) -> None:
    replace_file(target, b"")


def folder(_path: Path, target: Path) -> None:
    target.unlink()
    target.mkdir()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (truncated, "truncated"),
        (one_changed_byte, "is damaged"),
        (other_format, "artifact format 99"),
        (other_libraries, r"onnxruntime = '[0-9.]+': version 99\.0"),
        (other_features, "unknown_process"),
        (nonsense_in_place_of_features, "KeyError"),
        (other_example, "cannot predict its own example"),
        (empty_file, "no zip file"),
        (folder, "is a folder"),
    ],
)
def test_watch_unusable_file_is_refused_once_and_the_model_before_goes_on(
    serving: Hosted, first: tuple[str, Path], second: tuple[str, Path], make: Callable[[Path, Path], None], reason: str
) -> None:
    make(second[1], serving.path)
    wait_until(lambda: "refused" in serving.kinds)
    refused = serving.events[-1]
    assert re.search(reason, refused.reason), refused.reason
    assert (refused.version, refused.previous_version, serving.version) == (first[0], first[0], first[0])
    assert serving.host.current.pipeline.predict_record(serving.host.current.example)
    serving.wait_for_looks(5)
    assert serving.kinds.count("refused") == 1


def test_watch_file_copied_in_place_is_refused_half_and_served_whole(serving: Hosted, second: tuple[str, Path]) -> None:
    content = second[1].read_bytes()
    with serving.path.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        wait_until(lambda: "no zip file" not in serving.events[-1].reason and serving.kinds[-1] == "refused")
        file.write(content[len(content) // 2 :])
    wait_until(lambda: serving.version == second[0])


def test_watch_file_that_is_written_while_it_is_read_is_not_refused(
    rarely_looking: Hosted, second: tuple[str, Path]
) -> None:
    content, path = second[1].read_bytes(), rarely_looking.path
    replace_file(path, content[:-1000])
    n_looks_before = path.n_looks

    def write_rest() -> None:
        """Complete the file between the look at which it was truncated and the one after it could not be loaded."""
        if path.n_looks == n_looks_before + 1:
            with path.open("ab") as file:
                file.write(content[-1000:])

    path.before_look = write_rest
    rarely_looking.host.request_reload()
    wait_until(lambda: path.n_looks == n_looks_before + 2)
    rarely_looking.host.request_reload()
    rarely_looking.wait_for("loaded", "swapped")


def test_watch_change_that_keeps_size_and_time_is_noticed(serving: Hosted, first: tuple[str, Path]) -> None:
    before = serving.path.stat()
    with serving.path.open("r+b") as file:
        file.seek(1000)
        file.write(b"changed")
    os.utime(serving.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    wait_until(lambda: serving.kinds[-1] == "refused")
    assert serving.version == first[0]


def test_watch_file_gone_is_told_once_and_the_model_goes_on(serving: Hosted, first: tuple[str, Path]) -> None:
    serving.path.unlink()
    serving.wait_for("loaded", "missing")
    serving.wait_for_looks(5)
    assert (serving.kinds, serving.version) == (["loaded", "missing"], first[0])
    served_before = serving.host.current
    replace_file(serving.path, first[1].read_bytes())
    wait_until(lambda: serving.host.current is not served_before)
    assert serving.kinds == ["loaded", "missing"]
    serving.path.unlink()
    serving.wait_for("loaded", "missing", "missing")


def test_watch_metrics_added_are_taken_over_without_an_event(serving: Hosted, first: tuple[str, Path]) -> None:
    store_metrics(serving.path, {"roc_auc": 0.875})
    wait_until(lambda: serving.host.current.manifest.metrics == {"roc_auc": 0.875})
    assert (serving.kinds, serving.version) == (["loaded"], first[0])


def test_watch_listener_that_fails_is_logged_and_the_model_is_served(
    tmp_path: Path, second: tuple[str, Path], first: tuple[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: ModelEvent) -> None:
        raise OSError(f"cannot count {event.kind}")

    hosted = Hosted(tmp_path, on_event=fail)
    hosted.serve(first[1])
    replace_file(hosted.path, second[1].read_bytes())
    wait_until(lambda: hosted.version == second[0])
    hosted.host.close()
    assert "cannot count loaded" in caplog.text
    assert "cannot count swapped" in caplog.text


def test_events_are_logged_with_kind_and_version(
    serving: Hosted, first: tuple[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    truncated(first[1], serving.path)
    serving.wait_for("loaded", "refused")
    serving.host.close()
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (record.name, record.model_event, record.model_version) == (
        "ml_project.serving.model_host",
        "refused",
        first[0],
    )
    assert f"version {first[0]} goes on" in record.getMessage()


def test_request_reload_looks_at_once(rarely_looking: Hosted, second: tuple[str, Path]) -> None:
    replace_file(rarely_looking.path, second[1].read_bytes())
    rarely_looking.host.request_reload()
    rarely_looking.wait_for("loaded", "swapped")


def test_request_reload_by_signals_that_interrupt_one_another_loads_an_unchanged_file(rarely_looking: Hosted) -> None:
    def reload(_number: int, _frame: object) -> None:
        rarely_looking.host.request_reload()

    handlers = {number: signal.signal(number, reload) for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)}
    served_before = rarely_looking.host.current
    try:
        for _ in range(20):
            for number in handlers:
                os.kill(os.getpid(), number)
        wait_until(lambda: rarely_looking.host.current is not served_before)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert rarely_looking.kinds == ["loaded"]


def test_close_ends_the_thread_and_keeps_the_model(rarely_looking: Hosted, first: tuple[str, Path]) -> None:
    rarely_looking.host.watch()
    assert [thread.name for thread in threading.enumerate()].count("model-host") == 1
    rarely_looking.host.close()
    rarely_looking.host.close()
    assert "model-host" not in [thread.name for thread in threading.enumerate()]
    assert rarely_looking.version == first[0]


def test_watch_onnx_artifact_needs_no_tables_and_no_scikit_learn(first: tuple[str, Path]) -> None:
    code = f"""
import sys, time
from pathlib import Path
from ml_project.project_package import load_feature_processes
from ml_project.serving.model_host import ModelHost
host = ModelHost(Path({str(first[1])!r}), load_feature_processes(), check_seconds=0.01)
host.load()
host.watch()
host.request_reload()
host.close()
print(sorted({{"pandas", "sklearn", "pandera", "mlflow", "skops", "scipy", "pyarrow"}} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr
