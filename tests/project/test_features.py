"""The Titanic features: each alone, and all against the conformance check on the shipped data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_project.data.columns import to_columns
from ml_project.data.schema_reader import read_schema
from ml_project.feature_engineering.conformance import check_processes
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.project.features import FEATURE_PROCESSES, deck, fare_per_person, relatives_aboard, title
from ml_project.project.schema import RawData

TITANIC = Path(__file__).parents[2] / "data" / "data" / "titanic.parquet"


@pytest.fixture(scope="module")
def schema():
    return read_schema(RawData)


@pytest.fixture(scope="module")
def raw(schema):
    return pd.read_parquet(TITANIC)[list(schema.names)]


def test_feature_processes_keep_their_promises_on_titanic(raw, schema):
    check_processes(FEATURE_PROCESSES, to_columns(raw, schema), target="survived")


def test_relatives_aboard_is_sum_of_both_kinds():
    columns = {"sibsp": np.array([1.0, 0.0]), "parch": np.array([2.0, 0.0])}
    assert relatives_aboard.compute(columns, {}).tolist() == [3.0, 0.0]


def test_fare_per_person_counts_the_passenger():
    assert fare_per_person(30.0, 1, 1) == 10.0
    assert fare_per_person(0.0, 0, 0) == 0.0


def test_fare_per_person_missing_fare_stays_missing():
    columns = {"fare": np.array([np.nan]), "sibsp": np.array([1.0]), "parch": np.array([0.0])}
    assert np.isnan(fare_per_person.compute(columns, {})).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Braund, Mr. Owen Harris", "Mr"),
        ("Heikkinen, Miss. Laina", "Miss"),
        ("Reynaldo, Ms. Encarnacion", "Miss"),
        ("Aubart, Mme. Leontine Pauline", "Mrs"),
        ("Palsson, Master. Gosta Leonard", "Master"),
        ("Byles, Rev. Thomas Roussel Davids", "Officer"),
        ("Rothes, the Countess. of (Lucy Noel Martha Dyer-Edwards)", "Rare"),
        ("Reuchlin, Jonkheer. John George", "Rare"),
        ("Cher", "Rare"),
    ],
)
def test_title_of_name_is_grouped(name, expected):
    assert title(name) == expected


def test_title_groups_are_large_enough_to_learn_from(raw, schema):
    titles = title.compute(to_columns(raw, schema), {})
    counts = pd.Series(titles).value_counts()
    assert set(counts.index) == {"Mr", "Mrs", "Miss", "Master", "Officer", "Rare"}
    assert counts.min() >= 5


@pytest.mark.parametrize(("cabin", "expected"), [("C85", "C"), ("B57 B59 B63 B66", "B"), ("F G63", "F"), ("T", "T")])
def test_deck_is_letter_of_first_cabin(cabin, expected):
    assert deck(cabin) == expected


def test_deck_missing_cabin_stays_missing():
    assert deck.compute({"cabin": np.array([None], dtype=object)}, {}).tolist() == [None]


def test_features_of_one_passenger_equal_those_of_the_batch(raw, schema):
    features = FeatureEngineering(FEATURE_PROCESSES, schema, columns=("pclass", "sex"), target="survived").fit(raw)
    batch = features.transform(raw)
    pd.testing.assert_frame_equal(features.transform(raw.iloc[[700]]), batch.iloc[[700]])
    assert features.required_columns == ("pclass", "name", "sex", "sibsp", "parch", "fare", "cabin")
