"""Compare the scoring of a whole table, from files to a file, with the bare engine on arrays in memory.

The bare side computes nothing but the engine's outputs of engineered columns that lie in memory, in as many processes
as there are cores, before and after the use case. The use case runs as a user starts it, from the start of Python to
its last line. Then it runs again, is killed several times with SIGKILL, and must write the same file.
"""

import argparse
import contextlib
import filecmp
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' project

from tests.workspace import choose_example, workspace

USE_CASE = "use_cases/predicting_historic_data_local.py"
GOAL_RATIO, GOAL_MEGABYTES = 0.8, 1000
BARE_ROWS, BARE_CHUNK_ROWS, COMPARED_ROWS = 100_000, 50_000, 10_000
SECONDS_BETWEEN_LOOKS = 0.2


def main() -> None:
    """Compare, or compute as one process of the bare side."""
    choose_example()
    arguments = parse()
    if arguments.bare:
        compute_bare(arguments.bare, arguments.directory, arguments.seconds)
        return
    with contextlib.ExitStack() as stack:
        folder = arguments.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        artifact, table = prepare(folder, arguments.rows)
        bare = [measure_bare(artifact, table, arguments)]
        scored = measure_use_case(artifact, table, folder / "predictions.csv")
        bare.append(measure_bare(artifact, table, arguments))
        report(arguments.rows, scored, bare)
        print(f"  {'the same as predict_records':<31} {compare_records(artifact, table, folder / 'predictions.csv')}")
        print(f"  {'killed and started again':<31} {check_resuming(artifact, table, folder, arguments.kills)}")


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table (default: 10,000,000)")
    parser.add_argument("--kills", type=int, default=3, help="times that the run is killed (default: 3)")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of each bare measurement (default: 5)")
    absolute = {"type": lambda text: Path(text).resolve(), "metavar": "FOLDER"}
    parser.add_argument("--directory", **absolute, help="where to keep model, table and predictions")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(folder: Path, n_rows: int) -> tuple[Path, Path]:
    """Return a random forest on the Titanic, and a folder of rows made up from its training data."""
    artifact, table = folder / "model.zip", folder / f"rows-{n_rows}"
    if not artifact.exists():
        options = {
            "modelling.candidates": "random_forest",
            "modelling.n_hyperparameter_optimisation_runs": 1,
            "splits.n_folds": 2,
            "evaluation.explain": "false",
            "evaluation.n_bootstrap_samples": 10,
            "compute.n_processes": 1,
            "evaluation.directory": folder / "evaluation",
            "tracking.enabled": "false",
            "artifacts.path": artifact,
        }
        run("-m", "ml_project", "train", *words(options))
    if not table.exists():
        options = {"artifacts.path": artifact, "synthetic.n_rows": n_rows, "synthetic.output": table}
        run("-m", "ml_project", "generate", *words(options))
    return artifact, table


def words(options: dict[str, object]) -> list[str]:
    """Return options of a command line."""
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def run(*command: object) -> None:
    """Run Python and show what it prints only where it fails."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=workspace(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def measure_bare(artifact: Path, table: Path, arguments: argparse.Namespace) -> tuple[float, float]:
    """Return the rows per second of the engine alone, in one process per core, and those per second of CPU."""
    options = ["--bare", artifact, "--directory", table, "--seconds", arguments.seconds]
    command = [sys.executable, __file__, *map(str, options)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, cwd=workspace(), text=True, **pipes) for _ in os.sched_getaffinity(0)]
    for process in processes:
        process.stdout.readline()  # it has its rows
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    found = [[float(word) for word in process.communicate()[0].split()] for process in processes]
    return sum(rate for rate, _ in found), statistics.mean(rate for _, rate in found)


def compute_bare(artifact: Path, table: Path, seconds: float) -> None:
    """Compute outputs of the same rows again and again, and print the rows per second, and per second of CPU."""
    import pandas as pd
    import pyarrow.parquet

    from ml_project.data.coercion import coerce
    from ml_project.data.columns import to_columns

    pipeline = load(artifact).pipeline
    file = pyarrow.parquet.ParquetFile(sorted(table.glob("*.parquet"))[0])
    frame = next(file.iter_batches(BARE_ROWS)).to_pandas()
    raw = coerce(pd.DataFrame(frame), pipeline.raw_schema, missing_values=("",))
    engineered = pipeline.features.compute(to_columns(raw, pipeline.input_schema))
    starts = range(0, len(raw), BARE_CHUNK_ROWS)
    chunks = [
        {name: values[start : start + BARE_CHUNK_ROWS] for name, values in engineered.items()} for start in starts
    ]
    pipeline.engine.compute(chunks[0])
    print("ready", flush=True)
    sys.stdin.readline()
    started, started_cpu, n_rows = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        for chunk in chunks:
            n_rows += len(pipeline.engine.compute(chunk))
    print(n_rows / (time.perf_counter() - started), n_rows / (time.process_time() - started_cpu))


def load(artifact: Path) -> object:
    """Return the loaded artifact."""
    from ml_project.artifacts.loading import load_artifact
    from ml_project.project_package import load_feature_processes

    return load_artifact(artifact, load_feature_processes())


def use_case(artifact: Path, table: Path, output: Path) -> list[str]:
    """Return the command that scores the table."""
    options = {"data.source": table, "artifacts.path": artifact, "prediction.output": output}
    return [sys.executable, USE_CASE, *words(options)]


@dataclass(frozen=True)
class Scored:
    """What the use case took: seconds from start to end, CPU, and at most megabytes of all its processes together."""

    seconds: float
    cpu_seconds: float
    megabytes: dict[str, float]


def measure_use_case(artifact: Path, table: Path, output: Path) -> Scored:
    """Run the use case once."""
    peak = {"PSS": 0.0, "RSS": 0.0}
    started, started_cpu = time.perf_counter(), cpu_of_children()
    process = subprocess.Popen(use_case(artifact, table, output), cwd=workspace(), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        memory = [megabytes_of(pid) for pid in family(process.pid)]
        peak = {kind: max(most, sum(found[kind] for found in memory)) for kind, most in peak.items()}
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise SystemExit(f"the use case failed with exit code {process.returncode}")
    return Scored(time.perf_counter() - started, cpu_of_children() - started_cpu, peak)


def cpu_of_children() -> float:
    """Return the seconds of CPU of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def megabytes_of(pid: int) -> dict[str, float]:
    """Return the memory of a process: its share of what is shared (PSS), and everything that it sees (RSS)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return {"PSS": 0.0, "RSS": 0.0}
    found = re.findall(r"^(Pss|Rss):\s+(\d+) kB", text, re.MULTILINE)
    return {"PSS": 0.0, "RSS": 0.0} | {name.upper(): int(kilobytes) / 1000 for name, kilobytes in found}


def report(n_rows: int, scored: Scored, bare: list[tuple[float, float]]) -> None:
    """Print the figures."""
    rate, cpu_rate = (statistics.mean(rates) for rates in zip(*bare, strict=True))
    own_rate, own_cpu_rate = n_rows / scored.seconds, n_rows / scored.cpu_seconds
    before, after = (f"{of_seconds:,.0f}" for of_seconds, _ in bare)
    pss, rss = (f"{scored.megabytes[kind]:,.0f} MB" for kind in ("PSS", "RSS"))
    print(f"{n_rows:,} rows, {len(os.sched_getaffinity(0))} cores, {scored.seconds:.1f} s with start and evaluation")
    print(f"  {'':<31} {'per second':>12} {'per CPU second':>16}")
    print(f"  {'rows, bare engine':<31} {rate:12,.0f} {cpu_rate:16,.0f}   (before: {before}, after: {after})")
    print(f"  {'rows, use case':<31} {own_rate:12,.0f} {own_cpu_rate:16,.0f}")
    ratios = f"{own_rate / rate:12.2f} {own_cpu_rate / cpu_rate:16.2f}"
    print(f"  {'ratio':<31} {ratios}   (goal per second: at least {GOAL_RATIO})")
    print(
        f"  {'memory of all processes, peak':<31} {pss:>12} {'':>16}   (goal: below {GOAL_MEGABYTES:,} MB; RSS: {rss})"
    )


def compare_records(artifact: Path, table: Path, predictions: Path) -> str:
    """Return whether the first rows have the predictions of single records, to the last bit."""
    import pandas as pd
    import pyarrow.parquet

    pipeline = load(artifact).pipeline
    file = pyarrow.parquet.ParquetFile(sorted(table.glob("*.parquet"))[0])
    names = list(pipeline.input_schema.names)
    records = next(file.iter_batches(COMPARED_ROWS, columns=names)).to_pylist()
    written = pd.read_csv(predictions, float_precision="round_trip", nrows=len(records))
    answers = pipeline.predict_records(records)
    expected = [[answer["label"], *answer["probas"].values()] for answer in answers]
    found = written[list(pipeline.output_columns)].astype(object).to_numpy().tolist()
    same = sum(one == other for one, other in zip(found, expected, strict=True))
    return f"{same:,} of {len(expected):,} rows, to the last bit"


def check_resuming(artifact: Path, table: Path, folder: Path, n_kills: int) -> str:
    """Kill the use case several times, and return whether the file is the same in the end."""
    output = folder / "killed.csv"
    parts = folder / "killed.csv.parts"
    done = 0
    for _ in range(n_kills):
        process = subprocess.Popen(
            use_case(artifact, table, output), cwd=workspace(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len(list(parts.glob("*.json"))) <= done:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = max(done, len(list(parts.glob("*.json"))))
    subprocess.run(
        use_case(artifact, table, output),
        cwd=workspace(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    same = filecmp.cmp(folder / "predictions.csv", output, shallow=False) and not parts.exists()
    return f"{n_kills} times: {'the same file, byte for byte' if same else 'ANOTHER FILE'}"


if __name__ == "__main__":
    main()
