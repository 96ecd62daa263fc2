"""Compare what a prediction process imports with what scikit-learn's pipeline and random forest import.

Each import runs in a fresh process, in alternating order; the figures are medians of CPU seconds.
"""

import argparse
import statistics
import subprocess
import sys

IMPORTS = {
    "scikit-learn": "from sklearn.pipeline import Pipeline; from sklearn.ensemble import RandomForestClassifier",
    "ml_project": "from ml_project.artifacts.loading import load_artifact; "
    "from ml_project.prediction.pipeline import PredictionPipeline",
}
FORBIDDEN = ("mlflow", "evidently", "optuna", "shap", "matplotlib", "pandera", "imblearn", "sqlalchemy")
MEASURE = """
import sys, time
start, cpu = time.perf_counter(), time.process_time()
{statement}
print(time.perf_counter() - start, time.process_time() - cpu, *[name for name in {forbidden} if name in sys.modules])
"""


def measure(statement: str) -> tuple[float, float, list[str]]:
    """Return wall seconds, CPU seconds and the unwanted packages of an import in a fresh process."""
    code = MEASURE.format(statement=statement, forbidden=FORBIDDEN)
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    wall, cpu, *unwanted = output.split()
    return float(wall), float(cpu), unwanted


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="processes per import (default: 9)")
    rounds = parser.parse_args().rounds
    figures = {
        name: [measure(statement) for _ in range(1)] for name, statement in IMPORTS.items()
    }  # warms the disk cache
    figures = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            figures[name].append(measure(statement))
    medians = {}
    for name, measured in figures.items():
        wall, cpu = (statistics.median(item[position] for item in measured) for position in (0, 1))
        medians[name] = cpu
        print(f"{name:<14} wall {wall:6.3f} s   CPU {cpu:6.3f} s   unwanted packages: {measured[-1][2] or 'none'}")
    print(f"ratio of CPU seconds: {medians['ml_project'] / medians['scikit-learn']:.2f} (goal: at most 1.50)")


if __name__ == "__main__":
    main()
