"""Made-up rows: they fit the schema, and look like the reference."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_project.data.coercion import coerce
from ml_project.data.copula import Cuts, latent_correlation, positive_definite
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.synthetic import BLOCK_ROWS, RowGenerator
from ml_project.errors import InvalidDataError
from ml_project.validation.frames import validate_raw

N_ROWS = 60_000
STANDARD_ERRORS = 4.5
NUMERIC = ("survived", "pclass", "age", "sibsp", "parch", "fare")


@pytest.fixture(scope="module")
def generator(titanic_raw, project):
    return RowGenerator.fit(titanic_raw, project.schema)


@pytest.fixture(scope="module")
def made(generator):
    return generator.generate(N_ROWS, seed=7)


def schema_of(*rules):
    return RawSchema(columns=tuple(ColumnRule(**rule) for rule in rules))


# --- the Titanic


def test_generate_titanic_fits_the_schema_and_has_its_dtypes(made, titanic_raw, project):
    validate_raw(made, project.schema)
    assert made.dtypes.to_dict() == titanic_raw[list(project.schema.names)].dtypes.to_dict()
    assert made["passenger_id"].is_unique


@pytest.mark.parametrize("column", ["survived", "pclass", "sex", "sibsp", "parch", "embarked"])
def test_generate_titanic_values_have_the_shares_of_the_reference(column, made, titanic_raw):
    expected = titanic_raw[column].value_counts(normalize=True, dropna=False)
    found = made[column].value_counts(normalize=True, dropna=False).reindex(expected.index, fill_value=0)
    # Interpolation moves up to a row's share to values between neighbours.
    allowed = STANDARD_ERRORS * np.sqrt(expected * (1 - expected) / N_ROWS) + 1 / len(titanic_raw)
    assert (abs(found - expected) <= allowed).all(), (found, expected)


@pytest.mark.parametrize("column", ["age", "fare"])
def test_generate_titanic_numbers_have_the_quantiles_of_the_reference(column, made, titanic_raw):
    reference = np.sort(titanic_raw[column].dropna().to_numpy())
    share = np.linspace(0.02, 0.98, 25)
    error = STANDARD_ERRORS * np.sqrt(share * (1 - share) / made[column].count()) + 1 / len(reference)
    low, high = (np.quantile(reference, np.clip(share + shift, 0, 1)) for shift in (-error, error))
    found = made[column].quantile(share).to_numpy()
    assert ((low <= found) & (found <= high)).all()


def test_generate_titanic_missing_values_have_the_rates_of_the_reference(made, titanic_raw):
    expected = titanic_raw[list(made.columns)].isna().mean()
    allowed = STANDARD_ERRORS * np.sqrt(expected * (1 - expected) / N_ROWS)
    allowed["cabin"] += 0.02  # comes with the row that gives the name, whose categories are only nearly as frequent
    assert (abs(made.isna().mean() - expected) <= allowed).all()


def test_generate_titanic_ordered_columns_correlate_as_in_the_reference(made, titanic_raw):
    def ranks(raw):
        table = raw[list(NUMERIC)].assign(male=raw["sex"] == "male", age_missing=raw["age"].isna())
        return table.astype("float64").corr("spearman").fillna(0).to_numpy()  # none of ages with their own absence

    sampling_error = 1 / np.sqrt(len(titanic_raw))
    difference = abs(ranks(made) - ranks(titanic_raw))
    assert difference.max() < 3 * sampling_error
    assert difference.mean() < 0.8 * sampling_error


def test_generate_titanic_names_fit_the_sex(made):
    titles = made["name"].str.extract(r", (Mrs?|Miss|Master)\.")[0]
    assert set(made["sex"][titles.isin(["Mrs", "Miss"])]) == {"female"}
    assert set(made["sex"][titles.isin(["Mr", "Master"])]) == {"male"}


def test_generate_uncorrelated_columns_do_not_depend_on_each_other(titanic_raw, project):
    made = RowGenerator.fit(titanic_raw, project.schema, correlated=False).generate(N_ROWS, seed=7)
    validate_raw(made, project.schema)
    correlation = made[list(NUMERIC)].corr("spearman").to_numpy()
    assert abs(correlation - np.eye(len(NUMERIC))).max() < STANDARD_ERRORS / np.sqrt(made["age"].count())
    titles = made["name"].str.contains(r", Mr\.")
    assert 0.3 < (made["sex"][titles] == "female").mean() < 0.4


def test_generate_same_seed_gives_the_same_rows_and_another_gives_others(generator, made):
    pd.testing.assert_frame_equal(generator.generate(1000, seed=7), made.head(1000))
    assert not generator.generate(1000, seed=8)["age"].equals(made.head(1000)["age"])


def test_generate_in_parts_gives_the_rows_of_the_whole(generator, made):
    bounds = [0, 10, BLOCK_ROWS - 1, BLOCK_ROWS + 5, N_ROWS]
    parts = [generator.generate(end - start, seed=7, first_row=start) for start, end in itertools.pairwise(bounds)]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), made)


def test_generate_no_rows_gives_an_empty_frame_with_the_dtypes(generator, made):
    empty = generator.generate(0, seed=7)
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == made.dtypes.to_dict()


# --- any schema

WHOLE = st.integers(-(2**53), 2**53)
MOMENTS = st.datetimes().map(lambda moment: moment.replace(tzinfo=None))
TEXTS = st.text(st.sampled_from("abcXYZ019 -ä"), min_size=1, max_size=8).filter(lambda text: text.strip())
VALUES = {
    "integer": st.one_of(WHOLE, st.integers(-3, 3)),
    "number": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.5, 1.25, -0.0, 1e300])),
    "boolean": st.booleans(),
    "category": st.sampled_from(["a", "b", "c"]),
    "text": TEXTS,
    "datetime": st.one_of(MOMENTS, st.dates().map(lambda day: dt.datetime.combine(day, dt.time()))),
}


@st.composite
def tables(draw):
    """Return a schema whose bounds are as tight as they can be, and a reference that fits it."""
    n_rows = draw(st.integers(1, 40))
    rules, columns = [], {}
    for place, kind in enumerate(draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))):
        nullable = draw(st.booleans())
        values = draw(st.lists(VALUES[kind], min_size=n_rows, max_size=n_rows))
        limits = tight_limits(kind, values, draw)
        rules.append({"name": f"{kind}_{place}", "kind": kind, "nullable": nullable, **limits})
        if nullable:
            gone = draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
            values = [None if is_gone else value for value, is_gone in zip(values, gone, strict=True)]
        columns[f"{kind}_{place}"] = pd.Series(values, dtype=object)
    schema = schema_of(*rules)
    return schema, coerce(pd.DataFrame(columns), schema, missing_values=("",))


def tight_limits(kind, values, draw):
    if kind == "category" or (kind in {"integer", "number"} and draw(st.booleans())):
        return {"allowed": tuple(dict.fromkeys(values)) if kind != "category" else ("c", "a", "b")}
    if kind in {"integer", "number"}:
        return {"minimum": min(values), "maximum": max(values)}
    if kind == "datetime":
        return {"earliest": min(values), "latest": max(values)}
    return {"min_length": min(map(len, values)), "max_length": max(map(len, values))} if kind == "text" else {}


@settings(max_examples=50, deadline=None)
@given(table=tables(), correlated=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_generate_any_schema_and_reference_gives_rows_that_fit(table, correlated, seed):
    schema, reference = table
    validate_raw(reference, schema)
    made = RowGenerator.fit(reference, schema, correlated=correlated).generate(200, seed)
    validate_raw(made, schema)
    assert made.dtypes.to_dict() == reference.dtypes.to_dict()
    for name in schema.names:
        assert made[name].isna().any() <= reference[name].isna().any()


@pytest.mark.parametrize(
    ("rule", "example", "expected"),
    [
        ({"kind": "integer", "minimum": 1}, 5, [1, 2, 3]),
        ({"kind": "integer", "minimum": 10, "exclusive_maximum": 13}, 11, [10, 11, 12]),
        ({"kind": "integer", "maximum": -5}, -7, [-5, -6, -7]),
        ({"kind": "integer", "minimum": -1, "maximum": 2}, 0, [1, 2, -1]),
        ({"kind": "integer", "nullable": True}, 4, [1.0, 2.0, 3.0]),
        ({"kind": "number"}, 0.5, [1.0, 2.0, 3.0]),
        ({"kind": "category", "allowed": ("x", "y", "z")}, "y", ["x", "y", "z"]),
        ({"kind": "text"}, "PC 17599", ["PC 00000", "PC 00001", "PC 00002"]),
        ({"kind": "text", "pattern": r"[A-Z]{2}-\d\Z"}, "KL-7", ["AA-0", "AA-1", "AA-2"]),
        ({"kind": "text", "pattern": "id"}, "id", ["id-0", "id-1", "id-2"]),
        ({"kind": "datetime"}, dt.datetime(2024, 5, 1), list(pd.date_range("2024-05-01", periods=3, freq="s"))),
    ],
)
def test_generate_unique_column_is_numbered_within_its_rule(rule, example, expected):
    schema = schema_of({"name": "key", "unique": True, **rule})
    reference = coerce(pd.DataFrame({"key": [example]}), schema, missing_values=())
    made = RowGenerator.fit(reference, schema).generate(3, seed=0)
    assert made["key"].tolist() == expected
    validate_raw(made, schema)


def test_generate_unique_number_between_narrow_bounds_is_different_in_every_row():
    limits = {"exclusive_minimum": 0, "exclusive_maximum": 1}
    schema = schema_of({"name": "key", "unique": True, "kind": "number", **limits})
    made = RowGenerator.fit(pd.DataFrame({"key": [0.5]}), schema).generate(50_000, seed=0)
    assert made["key"].is_unique
    validate_raw(made, schema)


@pytest.mark.parametrize(
    ("rule", "example"),
    [
        ({"kind": "integer", "minimum": 1, "maximum": 100}, 5),
        ({"kind": "boolean"}, True),
        ({"kind": "text", "pattern": r"\d\d\Z"}, "12"),
        ({"kind": "text", "max_length": 2}, "ab"),
    ],
)
def test_generate_more_rows_than_unique_values_is_refused_with_the_column(rule, example):
    schema = schema_of({"name": "key", "unique": True, **rule})
    generator = RowGenerator.fit(coerce(pd.DataFrame({"key": [example]}), schema, missing_values=()), schema)
    with pytest.raises(InvalidDataError, match=r"key: must be unique, .* make fewer rows"):
        generator.generate(1001, seed=0)


def test_fit_unique_text_without_room_for_a_number_is_refused():
    schema = schema_of({"name": "key", "unique": True, "kind": "text", "pattern": r"\+\Z"})
    with pytest.raises(InvalidDataError, match=r"key = '\+': must be unique, but texts with a number do not fit"):
        RowGenerator.fit(pd.DataFrame({"key": ["+"]}, dtype="str"), schema)


def test_fit_reference_without_a_column_or_its_values_is_refused_with_all_of_them():
    schema = schema_of({"name": "age", "kind": "number"}, {"name": "size", "kind": "number"})
    with pytest.raises(InvalidDataError) as refused:
        RowGenerator.fit(pd.DataFrame({"size": [np.nan]}), schema)
    assert [problem.field for problem in refused.value.problems] == ["age", "size"]


def test_generate_whole_days_and_steps_of_five_stay_what_they_are():
    schema = schema_of({"name": "day", "kind": "datetime"}, {"name": "price", "kind": "integer"})
    days = pd.Series(pd.date_range("2020-01-01", periods=50, freq="7D", unit="us"))
    reference = pd.DataFrame({"day": days, "price": np.arange(50) * 5 + 100})
    made = RowGenerator.fit(reference, schema).generate(5000, seed=0)
    assert set(made["day"]) == set(days)
    assert set(made["price"]) == set(reference["price"])
    assert made["day"].rank().corr(made["price"].rank()) > 0.99


def test_generate_numbers_have_the_decimals_of_the_reference():
    schema = schema_of({"name": "price", "kind": "number"})
    made = RowGenerator.fit(pd.DataFrame({"price": [0.25, 10.0, 99.95]}), schema).generate(1000, seed=0)
    assert made["price"].nunique() > 100
    assert (made["price"].round(2) == made["price"]).all()


def test_generate_values_that_are_missing_together_stay_so():
    schema = schema_of(*({"name": name, "kind": "number", "nullable": True} for name in ("one", "other", "third")))
    random = np.random.default_rng(0)
    reference = pd.DataFrame(random.random((2000, 3)), columns=list(schema.names))
    reference.loc[random.random(2000) < 0.3, ["one", "other"]] = np.nan
    reference.loc[random.random(2000) < 0.3, "third"] = np.nan
    gone = RowGenerator.fit(reference, schema).generate(20_000, seed=0).isna().corr()
    assert gone.loc["one", "other"] > 0.9
    assert abs(gone.loc["one", "third"]) < 0.1


# --- the copula


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.5, 0.95])
@pytest.mark.parametrize("n_values", [2, 3, 2000])
def test_latent_correlation_is_found_behind_few_and_many_values(correlation, n_values):
    normal = np.random.default_rng(3).multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=20_000)
    cuts, scores = [], []
    for column in normal.T:
        codes = np.searchsorted(np.quantile(column, np.linspace(0, 1, n_values + 1)[1:-1]), column)
        cuts.append(Cuts.from_counts(np.bincount(codes)))
        scores.append(cuts[-1].scores[codes])
    assert latent_correlation(scores, cuts)[0, 1] == pytest.approx(correlation, abs=0.03)


def test_latent_correlation_with_a_rare_value_is_none():
    cuts = [Cuts.from_counts(np.array([997, 3])), Cuts.from_counts(np.array([500, 500]))]
    codes = [np.arange(1000) >= 997, np.arange(1000) >= 500]
    scores = [one.scores[code.astype(int)] for one, code in zip(cuts, codes, strict=True)]
    np.testing.assert_allclose(latent_correlation(scores, cuts), np.eye(2), atol=1e-9)


def test_positive_definite_impossible_correlations_become_possible_ones():
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    corrected = positive_definite(impossible)
    assert np.linalg.eigvalsh(corrected)[0] > 0
    np.testing.assert_allclose(np.diag(corrected), 1)
    np.testing.assert_allclose(corrected, corrected.T)
