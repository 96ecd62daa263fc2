"""Compare the prediction service with a FastAPI endpoint that returns a constant and with MLflow's scoring server.

All serve the Titanic, one worker each, and stay up together; they are asked in turn, round after round, over kept
connections on loopback. The service has everything on: validation, feature engineering, outlier check, metrics, request
log, prediction storage, which may lose nothing. Figures are medians over the rounds; what counts are the ratios.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from http_load import Load, measure_latency, measure_throughput, once
from mlflow_peer import MLFLOW_PORT_OPTION, write_mlflow_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' project

from tests.workspace import choose_example, workspace

PYTHON = sys.executable
RECORD = {
    "pclass": 1, "name": "Dee, Miss. Ann", "sex": "female", "age": 29.0, "sibsp": 0, "parch": 1, "fare": 80.0,
    "cabin": "C55", "embarked": "S",
}  # fmt: skip
CANDIDATES = (
    "baseline", "rule", "linear", "decision_tree", "random_forest", "histogram_boosting", "xgboost", "lightgbm",
    "catboost",
)  # fmt: skip
IDLE_SECONDS = 30
CONSTANT_APP = """
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic_core import from_json

app = FastAPI()

@app.post("/predict")
async def predict(request: Request) -> Response:
    from_json(await request.body())
    return Response({answer!r}, media_type="application/json")
"""


@dataclass
class Server:
    """One program that answers requests.

    Attributes
    ----------
    name
        In the table.
    command
        What starts it; ``{port}`` stands for its port.
    one, many
        A request with one record, and one with 1,000.
    """

    name: str
    command: list[str]
    one: bytes
    many: bytes | None
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    seconds_to_first_answer: list[float] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    process: subprocess.Popen | None = None

    def start(self, folder: Path) -> None:
        """Start the program and wait for its first answer."""
        self.port = free_port()
        command = [word.format(port=self.port) for word in self.command]
        environment = {**os.environ, **self.environment}
        log = (folder / f"{self.name.replace(' ', '_')}.log").open("ab")
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        deadline = started + 120
        while not once(self.port, self.one):
            if self.process.poll() is not None or time.perf_counter() > deadline:
                raise SystemExit(f"{self.name} did not start; see {log.name}:\n{Path(log.name).read_text()[-3000:]}")
            time.sleep(0.005)
        self.seconds_to_first_answer.append(time.perf_counter() - started)

    def stop(self) -> None:
        """End the program and everything that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def megabytes(self) -> float:
        """Return the resident memory of the program and its children."""
        return sum(resident_bytes(pid) for pid in family(self.process.pid)) / 1e6

    def note(self, name: str, value: float) -> None:
        """Keep one round's figure."""
        self.figures.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.figures[name])


def main() -> None:
    """Measure and print."""
    arguments = parse()
    choose_example()
    with tempfile.TemporaryDirectory(prefix="benchmark_serving_") as name, ExitStack() as stack:
        folder = Path(name)
        print(f"training random_forest and preparing the servers ({folder}) ...", flush=True)
        artifact = train(folder, "random_forest")
        servers = [constant_server(folder), service("FastAPI app", artifact, "fastapi", folder)]
        if not arguments.families:
            servers.append(service("Flask app", artifact, "flask", folder))
            if not arguments.without_mlflow:
                servers.append(mlflow_server(folder, artifact))
        else:
            others = [name for name in CANDIDATES if name != "random_forest"]
            servers[1].name = "random_forest"
            servers += [service(name, train(folder, name), "fastapi", folder) for name in others]
        measure_starts(servers, folder, arguments.starts)
        for server in servers:
            server.start(folder)
            stack.callback(server.stop)
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds} ...", flush=True)
            for server in servers:
                measure(server, arguments.seconds)
        report(servers)
        if not arguments.families:
            report_goals({server.name: server for server in servers})


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all servers (default: 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds per figure and round (default: 2)")
    parser.add_argument("--starts", type=int, default=3, help="starts of each server that are timed (default: 3)")
    parser.add_argument("--families", action="store_true", help="compare all candidates instead of the peers")
    parser.add_argument("--without-mlflow", action="store_true", help="leave MLflow out, which starts slowly")
    return parser.parse_args()


def train(folder: Path, candidate: str) -> Path:
    """Return an artifact with one candidate's defaults."""
    path = folder / candidate / "model.zip"
    options = {
        "modelling.candidates": candidate,
        "modelling.n_hyperparameter_optimisation_runs": "1",
        "splits.n_folds": "2",
        "evaluation.explain": "false",
        "evaluation.directory": str(folder / candidate / "evaluation"),
        "tracking.enabled": "false",
        "artifacts.path": str(path),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    done = subprocess.run(
        [PYTHON, "-m", "ml_project", "train", *words], cwd=workspace(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    engine = re.search(r"Inference engine: (\w+)", done.stdout)
    print(f"  {candidate}: engine {engine[1] if engine else '?'}", flush=True)
    return path


def constant_server(folder: Path) -> Server:
    """Return a FastAPI endpoint that parses the body and answers the same, whatever it says."""
    answer = json.dumps({"prediction_id": "0" * 36, "label": 1, "probas": {"0": 0.25, "1": 0.75}}).encode()
    (folder / "constant_app.py").write_text(CONSTANT_APP.format(answer=answer))
    command = [PYTHON, "-m", "uvicorn", "constant_app:app", "--port", "{port}", "--no-access-log",
               "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]  # fmt: skip
    return Server("constant", command, one=post("/predict", RECORD), many=post("/predict", [RECORD] * 1000))


def service(name: str, artifact: Path, framework: str, folder: Path) -> Server:
    """Return the prediction service with one of its frameworks."""
    options = {
        "framework": framework,
        "port": "{port}",
        "artifacts.path": str(artifact),
        "monitoring.storage.url": f"sqlite:///{folder}/{name.replace(' ', '_')}.db",
    }
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    command = [PYTHON, "-m", "ml_project", "serve", "--config", str(write_config(folder)), *words]
    return Server(name, command, one=post("/predict", RECORD), many=post("/predict", [RECORD] * 1000))


def write_config(folder: Path) -> Path:
    """Return a file with what a config must say when no use case says it."""
    path = folder / "config.yaml"
    path.write_text(
        "run_mode: prediction\ndata_origin: production\n"
        "data: {source: none.csv, target_column: survived}\nfeatures: {columns: [age]}\n"
    )
    return path


def mlflow_server(folder: Path, artifact: Path) -> Server:
    """Return MLflow's own scoring server for the same fitted model, giving label and probabilities."""
    model = write_mlflow_model(folder / "mlflow_model", artifact)
    command = [PYTHON, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local",
               MLFLOW_PORT_OPTION, "{port}", "--workers", "1"]  # fmt: skip
    environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}"}
    one = post("/invocations", {"dataframe_records": [RECORD]})
    many = post("/invocations", {"dataframe_records": [RECORD] * 1000})
    return Server("MLflow", command, one=one, many=many, environment=environment)


def post(path: str, content: object) -> bytes:
    """Return a request as it goes over the wire."""
    body = json.dumps(content).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def measure_starts(servers: list[Server], folder: Path, starts: int) -> None:
    """Time starts from nothing to the first answer, in turn."""
    for number in range(starts):
        print(f"start {number + 1} of {starts} ...", flush=True)
        for server in servers:
            server.start(folder)
            server.stop()


def measure(server: Server, seconds: float) -> None:
    """Take all figures of one round."""
    latency = measure_latency(Load(server.port, server.one), seconds)
    for name, value in zip(("p50", "p95", "p99"), latency.quantiles(), strict=True):
        server.note(name, 1e6 * value)
    server.note("throughput 1", latency.per_second())
    server.note("throughput 16", measure_throughput(Load(server.port, server.one), 16, seconds))
    if server.many is not None:
        server.note("rows per second", 1000 * measure_latency(Load(server.port, server.many), seconds).per_second())
    server.note("MB", server.megabytes())
    wait_until_idle(server)


def wait_until_idle(server: Server) -> None:
    """Wait until a server has done what it does after its answers, so that it does not disturb the next one."""
    deadline = time.monotonic() + IDLE_SECONDS
    before = -1.0
    while (now := cpu_seconds(server.process.pid)) - before > 0.02 and time.monotonic() < deadline:
        before = now
        time.sleep(0.5)


def report(servers: list[Server]) -> None:
    """Print the figures of all servers, and their ratios to the first one."""
    names = ("p50", "p95", "p99", "throughput 1", "throughput 16", "rows per second", "MB")
    first = servers[0]
    heads = ("p50 us", "p95 us", "p99 us", "req/s, 1", "req/s, 16", "rows/s, 1,000", "MB", "start s")
    print("\n" + " " * 20 + "".join(f"{head:>15}" for head in heads))
    for server in servers:
        values = [server.median(name) for name in names] + [statistics.median(server.seconds_to_first_answer)]
        bases = [first.median(name) for name in names] + [statistics.median(first.seconds_to_first_answer)]
        print(f"{server.name:<20}" + "".join(f"{value:>15,.{2 if value < 10 else 0}f}" for value in values))
        ratios = "".join(f"{value / base:>15.2f}" for value, base in zip(values, bases, strict=True))
        print(f"  / {first.name:<16}" + ratios)


def report_goals(servers: dict[str, Server]) -> None:
    """Print how far the FastAPI application meets what was set out for it."""
    ours, constant, mlflow = servers["FastAPI app"], servers["constant"], servers.get("MLflow")
    start = statistics.median(ours.seconds_to_first_answer)
    lines = [
        ("p50 / constant", ours.median("p50") / constant.median("p50"), "at most", 1.5),
        ("throughput / constant, 1", ours.median("throughput 1") / constant.median("throughput 1"), "at least", 0.6),
        ("throughput / constant, 16", ours.median("throughput 16") / constant.median("throughput 16"), "at least", 0.6),
        ("seconds to first answer", start, "at most", 1.5),
        ("resident MB", ours.median("MB"), "at most", 200),
        ("predictions not stored", lost_predictions(ours.port), "at most", 0),
    ]
    if mlflow is not None:
        rows = ours.median("rows per second") / mlflow.median("rows per second")
        lines += [
            ("throughput / MLflow, 1", ours.median("throughput 1") / mlflow.median("throughput 1"), "at least", 100),
            ("throughput / MLflow, 16", ours.median("throughput 16") / mlflow.median("throughput 16"), "at least", 100),
            ("rows per second / MLflow", rows, "at least", 3),
            ("start / MLflow", start / statistics.median(mlflow.seconds_to_first_answer), "at most", 0.25),
        ]
    print("\nFastAPI app against its goals:")
    for name, value, direction, goal in lines:
        met = value <= goal if direction == "at most" else value >= goal
        print(f"  {name:<28} {value:10.2f}   {direction} {goal:<6} {'met' if met else 'MISSED'}")


def lost_predictions(port: int) -> float:
    """Return how many predictions the service could not store."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return float(re.search(r"^ml_project_lost_predictions_total (\S+)", answer.read().decode(), re.MULTILINE)[1])


def free_port() -> int:
    """Return a port that nothing listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants."""
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


if __name__ == "__main__":
    main()
