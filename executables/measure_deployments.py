"""Measure every deployment that runs on this machine, side by side.

    bash executables/benchmark.sh deployments [options]

The targets are those of deployment/tests, so what is measured is what the golden requests are asked of. A cold start is
the time from the start of a deployment's first process to its first prediction, in a fresh process or container; warm
requests follow one another on one connection. Sizes are those of the image, or of the locked packages with the files
beside them. Prints a Markdown table.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deployment_footprint import HANDLER_REPORT, INIT_REPORT, Footprint, Size

REPOSITORY = Path(__file__).resolve().parent.parent
HEADS = (
    "target", "compressed MB", "unpacked MB", "cold start s", "p50 ms", "p99 ms", "memory MB", "init s",
    "p50, p99 in the function ms",
)  # fmt: skip
WARM_UP = 50


@dataclass
class Figures:
    """What was measured of one target."""

    cold_starts: list[float] = field(default_factory=list)
    inits: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    handler_milliseconds: list[float] = field(default_factory=list)
    resident: int | None = None
    size: Size = field(default_factory=lambda: Size(None, None))


def main() -> None:
    """Measure and print."""
    sys.path.insert(0, str(REPOSITORY))
    from deployment.tests.targets import find_targets
    from tests.workspace import choose_example

    choose_example()
    targets = find_targets()
    arguments = parse([target.name for target in targets])
    artifact = arguments.artifact.resolve() if arguments.artifact else train()
    table, missing = {}, {}
    for target in targets:
        if arguments.target and target.name not in arguments.target:
            continue
        reason = target.missing()
        if reason is not None:
            missing[target.name] = reason
            continue
        table[target.name] = Figures()
        for number in range(arguments.starts):
            show(f"{target.name}, start {number + 1} of {arguments.starts} ...")
            is_last = number + 1 == arguments.starts
            measure(target, artifact, table[target.name], arguments.requests if is_last else 0)
    print("\n".join(table_lines(table)))
    for name, reason in missing.items():
        print(f"not measured: {name}: {reason}")


def parse(names: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", choices=names, help="measure this one; may be given several times")
    parser.add_argument("--starts", type=int, default=3, help="cold starts, of which the median counts (default: 3)")
    parser.add_argument("--requests", type=int, default=1000, help="warm requests (default: 1000)")
    parser.add_argument("--artifact", type=Path, help="artifact to deploy (default: one is trained)")
    return parser.parse_args()


def train() -> Path:
    """Return the artifact that the tests deploy."""
    from deployment.tests.conftest import train as write

    file = Path(tempfile.mkdtemp(prefix="deployments_")) / "model.zip"
    show("training ...")
    write(file)
    return file


def measure(target: object, artifact: Path, figures: Figures, n_requests: int) -> None:
    """Start a target once; with warm requests, take the other figures too."""
    from deployment.tests.golden import GOLDEN

    golden = next(one for one in GOLDEN if one.single and one.status == 200 and target.takes(one))
    with tempfile.TemporaryDirectory(prefix=f"{target.name}_") as name:
        inner = Path(name) / "files"
        inner.mkdir()
        footprint = Footprint(inner, REPOSITORY)
        begun = time.time()
        with quiet(Path(name) / "here.log"), target.running(artifact, inner) as ask:
            check(ask(golden.make_request()))
            answered = time.time()
            footprint.look()
            started = footprint.started()
            figures.cold_starts.append(answered - (begun if started is None else started))
            figures.inits += [float(found) / 1000 for found in INIT_REPORT.findall(footprint.log())[:1]]
            if n_requests:
                figures.seconds = sorted(time_requests(ask, golden.make_request, n_requests))
                figures.resident = footprint.resident_bytes()
                figures.size = footprint.size()
                reports = [float(found) for found in HANDLER_REPORT.findall(footprint.log())]
                figures.handler_milliseconds = sorted(reports[-n_requests:])


def time_requests(ask: Callable, make_request: Callable, n_requests: int) -> Iterator[float]:
    """Yield the seconds of warm requests."""
    for number in range(WARM_UP + n_requests):
        request = make_request()
        started = time.perf_counter()
        answer = ask(request)
        seconds = time.perf_counter() - started
        check(answer)
        if number >= WARM_UP:
            yield seconds


def check(answer: object) -> None:
    """End the measurement at an answer that is no prediction."""
    if answer.status != 200:
        raise SystemExit(f"The answer is {answer.status}: {answer.body!r}")


def table_lines(table: dict[str, Figures]) -> list[str]:
    """Return the table in Markdown."""
    lines = [f"| {' | '.join(HEADS)} |", f"|---|{'--:|' * (len(HEADS) - 1)}"]
    for name, figures in table.items():
        handler = figures.handler_milliseconds
        cells = [
            megabytes(figures.size.compressed),
            megabytes(figures.size.unpacked),
            f"{statistics.median(figures.cold_starts):.2f}" if figures.resident else "",
            f"{1000 * quantile(figures.seconds, 0.5):.2f}",
            f"{1000 * quantile(figures.seconds, 0.99):.2f}",
            megabytes(figures.resident),
            f"{statistics.median(figures.inits):.2f}" if figures.inits else "",
            f"{quantile(handler, 0.5):.2f}, {quantile(handler, 0.99):.2f}" if handler else "",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def megabytes(n_bytes: int | None) -> str:
    """Return bytes for a cell."""
    return "" if n_bytes is None else f"{n_bytes / 1e6:.0f}"


def quantile(values: list[float], share: float) -> float:
    """Return a quantile of sorted values."""
    return values[round(share * (len(values) - 1))]


def show(text: str) -> None:
    """Tell how far it is, apart from the table."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Send what builds and services write here to a file, which is shown if anything fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    failed = True
    try:
        yield
        failed = False
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in enumerate(kept, start=1):
            os.dup2(original, descriptor)
            os.close(original)
        if failed:
            show(log.read_text(errors="replace")[-3000:])


if __name__ == "__main__":
    main()
