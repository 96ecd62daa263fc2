"""Write data/data/titanic.parquet, and the copy for the tests: the full Titanic passenger list.

The table lies in scikit-learn's own test data, inside every wheel (``sklearn/datasets/tests/data/openml/id_40945``), so
nothing is downloaded. Running this again writes the same files.
"""

import gzip
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).resolve().parent.parent
DESTINATIONS = ("data/data/titanic.parquet", "tests/example/titanic.parquet")
WHOLE_NUMBERS = ("pclass", "survived", "sibsp", "parch")


def read_titanic() -> pd.DataFrame:
    """Return the 1,309 passengers with their missing values and an identifier counted from 1."""
    packed = files("sklearn.datasets.tests.data.openml.id_40945").joinpath("data-v1-dl-16826755.arff.gz").read_bytes()
    attributes, rows = gzip.decompress(packed).decode("utf-8").split("@data\n")
    names = [line.split("'")[1] for line in attributes.splitlines() if line.startswith("@attribute")]
    passengers = pd.read_csv(
        StringIO(rows), names=names, na_values="?", keep_default_na=False, dtype={"ticket": str, "boat": str}
    )
    passengers = passengers.astype(dict.fromkeys(WHOLE_NUMBERS, "int64"))
    passengers.insert(0, "passenger_id", range(1, len(passengers) + 1))
    return passengers


def main() -> None:
    """Write the table as Parquet."""
    passengers = read_titanic()
    for destination in DESTINATIONS:
        (REPOSITORY / destination).parent.mkdir(parents=True, exist_ok=True)
        passengers.to_parquet(REPOSITORY / destination, index=False)
        print(f"{len(passengers)} rows, {len(passengers.columns)} columns: {destination}")


if __name__ == "__main__":
    main()
