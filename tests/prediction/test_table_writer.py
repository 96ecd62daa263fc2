"""Tables written chunk by chunk."""

from pathlib import Path

import pandas as pd
import pytest

from ml_project.prediction.table_writer import open_writer

FRAMES = [
    pd.DataFrame({"id": [1, 2], "label": ["yes", 'a "quoted", text'], "proba_yes": [0.1 + 0.2, 1e-300]}),
    pd.DataFrame({"id": [3], "label": ["no"], "proba_yes": [1 / 3]}),
]


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_write_several_frames_gives_one_table(tmp_path: Path, name: str):
    writer = open_writer(tmp_path / name)
    for frame in [FRAMES[0].iloc[:0], *FRAMES]:
        writer.write(frame)
    writer.close()
    path = tmp_path / name
    read = pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path, float_precision="round_trip")
    pd.testing.assert_frame_equal(read, pd.concat(FRAMES, ignore_index=True), check_exact=True)
