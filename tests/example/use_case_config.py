"""The config that the use cases start from in a workspace of the tests; its paths are below that folder."""

from pathlib import Path

from ml_project.config import (
    ArtifactsConfig,
    Config,
    DataConfig,
    FeaturesConfig,
    SplitsConfig,
    Switches,
    TrackingConfig,
)


def build_config(switches: Switches) -> Config:
    """Return the config of the example."""
    return Config(
        run_mode=switches.run_mode,
        data_origin=switches.data_origin,
        execution=switches.execution,
        data=DataConfig(
            source="titanic.parquet",
            target_column="survived",
            id_column="passenger_id",
        ),
        features=FeaturesConfig(
            # The file's boat and body are left out: lifeboat and body number were written down afterwards and reveal
            # who survived. A model that sees them looks perfect and is useless.
            columns=("pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"),
            processes=("relatives_aboard", "fare_per_person", "title", "deck"),
        ),
        splits=SplitsConfig(strategy="stratified", holdout_share=0.2, n_folds=5),
        tracking=TrackingConfig(experiment="titanic", registered_model="titanic"),
        artifacts=ArtifactsConfig(path=Path("data/serialised_models/titanic.zip")),
    )
