"""Engineered columns as one matrix, the same for one row as for many."""

import numpy as np
import pytest

from ml_project.artifacts.packing import Packing
from ml_project.data.distinct import RepeatingTexts

ENGINEERED = {
    "sex": np.array(["male", None, "", "Male", "female"], dtype=object),
    "age": np.array([1.5, np.nan, -0.0, 5e-324, 1e300]),
    "unused": np.zeros(5),
    "fare": np.array([0.1, 0.2, 0.3, 0.4, 0.5]),
}


@pytest.fixture
def packing():
    return Packing(("fare", "age"), {"sex": ["female", "male", ""]})


def test_pack_puts_numbers_before_codes(packing):
    matrix = packing.pack(ENGINEERED)
    assert matrix.dtype == np.float64
    assert matrix[:, 0].tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert matrix[:, 2].tolist() == [1, 2, 2, 3, 0]


def test_pack_one_row_has_the_bits_of_the_batch(packing):
    batch = packing.pack(ENGINEERED)
    rows = [packing.pack({name: values[[row]] for name, values in ENGINEERED.items()}) for row in range(5)]
    assert np.concatenate(rows).tobytes() == batch.tobytes()


def test_pack_unseen_text_is_not_remembered(packing):
    first = {name: values[3:4] for name, values in ENGINEERED.items()}
    packing.pack(first)
    assert packing.pack({**first, "sex": np.array(["another"], dtype=object)}).tolist() == packing.pack(first).tolist()


def test_pack_texts_that_know_their_distinct_ones_have_the_same_codes(packing):
    texts = RepeatingTexts.spread(np.array(["x", "male", "", None], dtype=object), np.array([1, 1, 0, -1, 2]))
    plain = np.array(texts.tolist(), dtype=object)
    assert packing.pack({**ENGINEERED, "sex": texts}).tobytes() == packing.pack({**ENGINEERED, "sex": plain}).tobytes()


def test_pack_no_rows_keeps_the_columns(packing):
    assert packing.pack({name: values[:0] for name, values in ENGINEERED.items()}).shape == (0, 3)


def test_packing_through_json_packs_the_same(packing):
    restored = Packing.from_json(packing.to_json())
    assert restored.pack(ENGINEERED).tobytes() == packing.pack(ENGINEERED).tobytes()


@pytest.mark.parametrize("text", ["[]", "{}", '{"numbers": []}', "no JSON"])
def test_from_json_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match=r"columns|Expecting"):
        Packing.from_json(text)
