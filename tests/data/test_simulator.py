"""The simulated stream: which records come, and how drift changes them."""

import itertools
import json

import pandas as pd
import pytest

from ml_project.config import DataConfig
from ml_project.config_service import SimulationConfig
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.retrieval import records_to_frame
from ml_project.data.simulator import BLOCK_ROWS, simulate_batches, to_json_records
from ml_project.errors import ConfigError, InvalidDataError
from tests.workspace import TITANIC as FILE

TITANIC = DataConfig(source=str(FILE), target_column="survived")


@pytest.fixture
def schema(project):
    return project.schema


@pytest.fixture
def records(schema):
    """Return a function that gives all records of a simulation of the Titanic."""

    def simulate(seed=0, **fields):
        batches = simulate_batches(TITANIC, schema, SimulationConfig(**fields), seed)
        return list(itertools.chain.from_iterable(batches))

    return simulate


def test_simulate_batches_historic_order_gives_the_rows_as_they_stand_and_starts_again(records, schema, titanic_raw):
    found = records(order="historic", n_instances=len(titanic_raw) + 2)
    raw = records_to_frame(found[:-2], schema, missing_values=TITANIC.missing_values)
    pd.testing.assert_frame_equal(raw, titanic_raw[list(schema.names)])
    assert found[-2:] == found[:2]


def test_simulate_batches_records_survive_json(records):
    found = records(n_instances=200)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_simulate_batches_random_rows_are_rows_of_the_data_and_seeded(records, schema, titanic_raw):
    found = records(n_instances=3000, seed=3)
    known = {record["passenger_id"]: record for record in to_json_records(titanic_raw, schema)}
    assert all(record == known[record["passenger_id"]] for record in found)
    assert len({record["passenger_id"] for record in found}) > 1000
    assert records(n_instances=3000, seed=3) == found
    assert records(n_instances=3000, seed=4) != found


@pytest.mark.parametrize("order", ["random", "historic"])
def test_simulate_batches_size_decides_the_batches_and_not_the_records(order, schema):
    def batches(size):
        simulation = SimulationConfig(n_instances=BLOCK_ROWS + 7, batch_size=size, order=order)
        return list(simulate_batches(TITANIC, schema, simulation, seed=0))

    assert [len(batch) for batch in batches(300)] == [300, 300, 300, 107]
    assert list(itertools.chain(*batches(300))) == list(itertools.chain(*batches(1)))


def test_simulate_batches_drift_changes_only_what_it_is_told_to(records):
    plain = records(n_instances=2000)
    drift = {"shift": {"fare": 10.5, "sibsp": 1}, "new_category": {"cabin": "Z1"}, "missing": {"age": 0.3}, "start": 50}
    drifted = records(n_instances=2000, drift=drift)
    assert drifted[:50] == plain[:50]
    for before, after in zip(plain[50:], drifted[50:], strict=True):
        expected = before | {"sibsp": before["sibsp"] + 1, "cabin": "Z1"}
        expected["fare"] = None if before["fare"] is None else before["fare"] + 10.5
        assert after | {"age": None} == expected | {"age": None}
        assert after["age"] in (None, before["age"])
        assert isinstance(after["sibsp"], int)
    had_age = [(before, after) for before, after in zip(plain[50:], drifted[50:], strict=True) if before["age"]]
    assert 0.25 < sum(after["age"] is None for _, after in had_age) / len(had_age) < 0.35


def test_simulate_batches_drift_of_a_share_changes_that_share_of_records(records):
    plain = records(n_instances=2000)
    drifted = records(n_instances=2000, drift={"shift": {"sibsp": 1}, "new_category": {"cabin": "Z1"}, "share": 0.25})
    changed = [before["sibsp"] != after["sibsp"] for before, after in zip(plain, drifted, strict=True)]
    assert changed == [after["cabin"] == "Z1" for after in drifted]
    assert 0.2 < sum(changed) / len(changed) < 0.3


def test_simulate_batches_impossible_drift_is_refused_with_every_problem(schema):
    drift = {"shift": {"fair": 1, "sex": 1, "sibsp": 0.5}, "new_category": {"age": "old"}, "missing": {"decks": 0.1}}
    with pytest.raises(ConfigError) as refused:
        simulate_batches(TITANIC, schema, SimulationConfig(drift=drift), seed=0)
    told = [str(problem) for problem in refused.value.problems]
    assert told[0].startswith("simulation.drift.shift.fair: the records have no such column; did you mean 'fare'")
    assert told[1] == "simulation.drift.shift.sex: is a column of kind category; only numbers can be shifted"
    assert told[2] == "simulation.drift.shift.sibsp = 0.5: shifts a whole number; give a whole amount"
    assert told[3].startswith("simulation.drift.new_category.age: is a column of kind number; only categories")
    assert told[4].startswith("simulation.drift.missing.decks: the records have no such column")


def test_simulate_batches_data_without_a_column_is_refused_before_anything_is_sent(tmp_path, schema):
    (tmp_path / "few.csv").write_text("age\n3\n")
    data = DataConfig(source=str(tmp_path / "few.csv"), target_column="survived")
    with pytest.raises(InvalidDataError, match="sex: the column is missing"):
        simulate_batches(data, schema, SimulationConfig(), seed=0)


@pytest.mark.parametrize("order", ["random", "historic"])
def test_simulate_batches_unusable_value_is_told_by_its_row_in_the_table(order, tmp_path):
    (tmp_path / "ages.csv").write_text("note,age\n" + "x,3\n" * BLOCK_ROWS + "x,many\n")
    schema = RawSchema(columns=(ColumnRule(name="age", kind="integer"),))
    data = DataConfig(source=str(tmp_path / "ages.csv"), target_column="y")
    with pytest.raises(InvalidDataError, match=rf"row {BLOCK_ROWS}, age = 'many': is not a whole number"):
        list(simulate_batches(data, schema, SimulationConfig(n_instances=BLOCK_ROWS + 1, order=order), seed=0))


def test_simulate_batches_in_historic_order_reads_no_more_rows_than_it_needs(tmp_path):
    (tmp_path / "ages.csv").write_text("age\n" + "3\n" * BLOCK_ROWS + "many\n")
    schema = RawSchema(columns=(ColumnRule(name="age", kind="integer"),))
    data = DataConfig(source=str(tmp_path / "ages.csv"), target_column="y")
    batches = simulate_batches(data, schema, SimulationConfig(n_instances=BLOCK_ROWS, order="historic"), seed=0)
    assert list(itertools.chain(*batches)) == [{"age": 3}] * BLOCK_ROWS


def test_to_json_records_every_kind_gives_json_values():
    kinds = ("integer", "number", "boolean", "category", "text", "datetime")
    schema = RawSchema(columns=tuple(ColumnRule(name=kind, kind=kind, nullable=True) for kind in kinds))
    rows = [
        [1, 0.1, True, "a", "ä b", "2024-05-17T08:30:00.000001"],
        [-3, 1e300, False, "b", "1", "2024-05-17T00:00:00"],
        [None] * 6,
    ]
    sent = [dict(zip(kinds, row, strict=True)) for row in rows]
    rule = ColumnRule(name="category", kind="category", nullable=True, allowed=("a", "b"))
    allowed = schema.model_copy(update={"columns": (*schema.columns[:3], rule, *schema.columns[4:])})
    assert to_json_records(records_to_frame(sent, allowed, missing_values=("",)), schema) == sent
