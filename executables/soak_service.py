"""Keep a service under load while its model is exchanged and its storage fails: no request may.

    python executables/soak_service.py --seconds 60

Clients ask without a pause, some over one connection and some over a new one for each request. Every second another
version of the model is put in the place of the one before, now and then a damaged one; the database is locked by
somebody else or its disk is full for seconds (of a PostgreSQL given as --storage-url, a table is locked or connections
are cut). Each answer must be a success, and its numbers those of the version that it names. In the end the service is
told to stop under load: requests that were sent must be answered, and predictions answered must be in the database.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from soak_faults import Faults

from ml_project.artifacts.loading import load_artifact
from ml_project.project_package import load_feature_processes
from ml_project.safe_file import replace_file
from tests.workspace import choose_example, workspace

CANDIDATES = ("linear", "decision_tree")
RECORD = {"pclass": 1, "name": "Dee, Miss. Ann", "sex": "female", "age": None, "sibsp": 0, "parch": 1, "fare": 80}


@dataclass
class Tally:
    """What the clients have met."""

    expected: dict[str, dict]
    seconds: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    is_ending: bool = False
    n_refused_at_end: int = 0

    def take(self, status: int, version: str | None, body: bytes) -> None:
        """Judge an answer."""
        answers = json.loads(body)
        if status != 200 or version not in self.expected:
            self.failures.append(f"{status} by {version}: {body[:300]!r}")
            return
        self.versions.add(version)
        for answer in answers.get("predictions", [answers]):
            self.ids.append(answer.pop("prediction_id"))
            answer.pop("outliers", None)
            if answer != self.expected[version]:
                self.failures.append(f"version {version} answered {answer}, not {self.expected[version]}")


def main() -> int:
    """Run, print what happened, and return 1 if a request failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the load (default: 60)")
    parser.add_argument("--clients", type=int, default=4, help="clients at the same time (default: 4)")
    parser.add_argument("--framework", choices=("fastapi", "flask"), default="fastapi")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--storage-url", help="database that is there already (default: a SQLite file)")
    arguments = parser.parse_args()
    choose_example()
    with tempfile.TemporaryDirectory(prefix="soak_") as name:
        folder = Path(name)
        artifacts = [train(folder, candidate) for candidate in CANDIDATES]
        return soak(folder, artifacts, arguments)


def train(folder: Path, candidate: str) -> bytes:
    """Return the bytes of an artifact."""
    path = folder / f"{candidate}.zip"
    options = {
        "modelling.candidates": candidate, "modelling.n_hyperparameter_optimisation_runs": "1", "splits.n_folds": "2",
        "evaluation.explain": "false", "evaluation.directory": str(folder / "evaluation"), "tracking.enabled": "false",
        "artifacts.path": str(path), "compute.n_processes": "1",
    }  # fmt: skip
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    subprocess.run([sys.executable, "-m", "ml_project", "train", *words], cwd=workspace(), check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return path.read_bytes()


def soak(folder: Path, artifacts: list[bytes], arguments: argparse.Namespace) -> int:
    """Put a service under load and report."""
    tally = Tally(expected=dict(map(expectation, (folder / f"{name}.zip" for name in CANDIDATES))))
    model, url = folder / "model.zip", arguments.storage_url or f"sqlite:///{folder}/predictions.db"
    replace_file(model, artifacts[0])
    service, port, log = start(folder, model, url, arguments)
    faults = Faults(url, service)
    clients = [threading.Thread(target=ask, args=(port, tally, seed)) for seed in range(arguments.clients)]
    for client in clients:
        client.start()
    n_exchanges = disturb(model, artifacts, faults, time.monotonic() + arguments.seconds)
    lost = read_metric(port, "ml_project_lost_predictions_total")
    tally.is_ending = True
    service.send_signal(signal.SIGTERM)
    for client in clients:
        client.join(60)
    code = service.wait(60)
    return report(tally, code, faults, n_exchanges=n_exchanges, lost=lost, log=log)


def expectation(path: Path) -> tuple[str, dict]:
    """Return the version of an artifact and what it says of the record."""
    artifact = load_artifact(path, load_feature_processes())
    answer = json.loads(json.dumps(artifact.pipeline.predict_record(RECORD)))
    return artifact.model_version, answer


def start(
    folder: Path, model: Path, url: str, arguments: argparse.Namespace
) -> tuple[subprocess.Popen, int, Path]:
    """Start the service and return it with its port and log."""
    log = folder / "service.log"
    options = {
        "framework": arguments.framework, "workers": str(arguments.workers), "port": "0", "artifacts.path": str(model),
        "monitoring.storage.url": url, "serving.model_check_seconds": "0.2",
        "serving.log_requests": "false",
    }  # fmt: skip
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    with log.open("wb") as file:
        service = subprocess.Popen(
            [sys.executable, "-m", "ml_project", "serve", *words], cwd=workspace(), stderr=file, env=os.environ
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"Serving on http://127.0.0.1:(\d+)", log.read_text())
        if found and is_ready(int(found[1])):
            return service, int(found[1]), log
        time.sleep(0.05)
    raise SystemExit(f"the service did not start:\n{log.read_text()}")


def is_ready(port: int) -> bool:
    """Return whether the service has a model."""
    with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    return False


def ask(port: int, tally: Tally, seed: int) -> None:
    """Send records, one or many at a time, until the service ends; a connection that was refused is no failure then."""
    numbers = random.Random(seed)  # noqa: S311  no secret
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while True:
        content = RECORD if numbers.random() < 0.9 else [RECORD] * numbers.randrange(1, 50)
        started = time.perf_counter()
        try:
            if connection.sock is None:
                connection.connect()
        except OSError:
            if not tally.is_ending:
                tally.failures.append("the connection was refused before the end")
            tally.n_refused_at_end += 1
            return
        try:
            connection.request("POST", "/predict", json.dumps(content), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            tally.take(answer.status, answer.headers["X-Model-Version"], answer.read())
        except (OSError, http.client.HTTPException) as error:
            tally.failures.append(f"{type(error).__name__}: {error}{' at the end' if tally.is_ending else ''}")
            connection.close()
            if tally.is_ending:
                return
        tally.seconds.append(time.perf_counter() - started)
        if seed % 2:
            connection.close()


def disturb(model: Path, artifacts: list[bytes], faults: Faults, deadline: float) -> int:
    """Exchange the model, damage it, and let the database fail, until a deadline; return the number of exchanges."""
    n_exchanges = 0
    while time.monotonic() < deadline:
        n_exchanges += 1
        content = artifacts[n_exchanges % 2]
        replace_file(model, content if n_exchanges % 4 else content[: len(content) // 2])
        if n_exchanges % 3 == 0:
            faults.happen()
        else:
            time.sleep(1)
    return n_exchanges


def read_metric(port: int, name: str) -> float:
    """Return one of the service's numbers."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return float(re.search(rf"^{name} (\S+)", text, re.MULTILINE)[1])


def report(tally: Tally, code: int, faults: Faults, *, n_exchanges: int, lost: float, log: Path) -> int:
    """Print what happened and return the exit code."""
    missing = len(set(tally.ids) - faults.read_ids())
    quantiles = sorted(tally.seconds)
    p50, p99 = (1000 * quantiles[int(share * (len(quantiles) - 1))] for share in (0.5, 0.99))
    messages = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    events = [message["model_event"] for message in messages if "model_event" in message]
    print(f"requests            {len(tally.seconds):,}, predictions {len(tally.ids):,}")
    print(f"failures            {len(tally.failures)}")
    print(f"exchanges of a file {n_exchanges}: {events.count('swapped')} swaps, {events.count('refused')} refusals")
    told = sum(message["logger"].startswith("ml_project.monitoring") for message in messages)
    counts = ", ".join(f"{name} {count}" for name, count in faults.counts.items())
    print(f"faults of storage   {counts}; {told} lines in the log")
    print(f"stored              all but {missing} (counted as lost: {lost:.0f})")
    print(f"latency             p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {1000 * quantiles[-1]:.0f} ms")
    print(f"end                 exit code {code}, {tally.n_refused_at_end} clients refused after it")
    for failure in tally.failures[:5]:
        print(f"  {failure}")
    is_good = not tally.failures and code == 0 and missing <= lost and len(tally.versions) == len(CANDIDATES)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
