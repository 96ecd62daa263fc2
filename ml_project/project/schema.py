"""The raw data of this project: the only place that names its columns' types, ranges, categories and missing values.

Everything else follows from it: the coercion of incoming values, the check of tables and of single records, the JSON
Schema of the service. ``metadata={"expectations": {...}}`` states what a whole batch is expected to show.
"""

import pandera.pandas as pa
from pandera.typing.pandas import Series


class RawData(pa.DataFrameModel):
    """One passenger of the Titanic per row."""

    # left out: boat, body, home.dest

    passenger_id: Series[int] = pa.Field(ge=1, unique=True, description="Number of the passenger in the list.")
    survived: Series[int] = pa.Field(
        isin=[0, 1],
        description="Whether the passenger survived: 1 yes, 0 no.",
        metadata={"expectations": {"share_between": {"1": (0.2, 0.6)}}},
    )
    pclass: Series[int] = pa.Field(isin=[1, 2, 3], description="Class of the ticket.")
    name: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 200}, description="Name with title.")
    sex: Series[str] = pa.Field(
        isin=["female", "male"],
        description="Sex of the passenger.",
        metadata={"expectations": {"share_between": {"female": (0.2, 0.6)}}},
    )
    age: Series[float] = pa.Field(
        ge=0,
        le=120,
        nullable=True,
        description="Age in years.",
        metadata={"expectations": {"max_missing_rate": 0.4, "mean_between": (20, 45)}},
    )
    sibsp: Series[int] = pa.Field(ge=0, le=20, description="Siblings and spouses aboard.")
    parch: Series[int] = pa.Field(ge=0, le=20, description="Parents and children aboard.")
    ticket: Series[str] = pa.Field(description="Number of the ticket, shared by those who travelled on it.")
    fare: Series[float] = pa.Field(
        ge=0,
        le=1000,
        nullable=True,
        description="Price of the ticket in pounds.",
        metadata={"expectations": {"max_missing_rate": 0.05, "mean_between": (15, 60)}},
    )
    cabin: Series[str] = pa.Field(
        nullable=True,
        description="Cabins, separated by blanks; the letter is the deck.",
        metadata={"expectations": {"max_missing_rate": 0.95}},
    )
    embarked: Series[str] = pa.Field(
        isin=["C", "Q", "S"],
        nullable=True,
        description="Port of embarkation: Cherbourg, Queenstown, Southampton.",
        metadata={"expectations": {"max_missing_rate": 0.05}},
    )
