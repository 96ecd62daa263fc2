"""The one object that holds every parameter of a run: frozen, typed and checked before any work starts.

It knows nothing of models or columns. ``ml_project.config_sources`` fills it from files, the environment and the
command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from ml_project.config_section import Section, Share
from ml_project.config_service import MonitoringConfig, ServingConfig, SimulationConfig, SyntheticConfig

RunMode = Literal["modelling", "prediction"]
DataOrigin = Literal["historic", "production"]
ExecutionPlace = Literal["local", "deployed"]
Task = Literal["binary", "multiclass", "regression"]


class Switches(NamedTuple):
    """The three switches that decide which use case a config is for."""

    run_mode: RunMode
    data_origin: DataOrigin
    execution: ExecutionPlace


MODELLING = Switches("modelling", "historic", "local")
SCORING = Switches("prediction", "historic", "local")
LOCAL_PRODUCTION = Switches("prediction", "production", "local")
DEPLOYED_PRODUCTION = Switches("prediction", "production", "deployed")
ALLOWED_COMBINATIONS = (MODELLING, SCORING, LOCAL_PRODUCTION, DEPLOYED_PRODUCTION)


class CsvConfig(Section):
    """How a CSV file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """Character between fields."""
    encoding: str = "utf-8"
    """Text encoding, as Python names it; a byte-order mark of UTF-8 is skipped in any case."""
    decimal: Literal[".", ","] = "."
    """Character before the decimals of a number."""
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Character between groups of three digits; none by default."""

    @model_validator(mode="after")
    def _separators_differ(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"csv.thousands and csv.decimal are both {self.decimal!r}; choose different characters")
        return self


class DataConfig(Section):
    """Where the data lies and what its columns are for."""

    source: str
    """File, folder of Parquet files, object storage address (s3://, gs://) or SQLAlchemy URL of the historic data."""
    format: Literal["auto", "csv", "parquet", "sql"] = "auto"
    """Kind of source; auto decides by the address's ending or scheme."""
    csv: CsvConfig = CsvConfig()
    """How a CSV file is written."""
    table: str | None = None
    """Table of an SQL source; give this or a query."""
    query: str | None = None
    """SELECT statement of an SQL source; give this or a table."""
    storage_options: dict[str, Any] = {}
    """Options for object storage, as fsspec names them, such as endpoint_url; secrets belong into the environment."""
    missing_values: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
    """Texts that mean a missing value, compared after stripping blanks; the empty text always does."""
    target_column: str
    """Column to predict."""
    positive_class: str | int | float | bool | None = None
    """Class that counts as positive in a binary task; by default the second in sorted order."""
    rows_without_target: Literal["refuse", "leave_out"] = "refuse"
    """What modelling and evaluation do with rows whose target is missing: end the run, or go on with the others."""
    id_column: str | None = None
    """Column that identifies a row; it is carried into the predictions and is no feature."""
    batch_expectations: Literal["refuse", "warn"] = "refuse"
    """What modelling does when a batch breaks the expected missing rates or distributions; prediction always warns."""

    @field_validator("missing_values")
    @classmethod
    def _empty_text_is_missing(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("", *texts)))

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if self.table is not None and self.query is not None:
            raise ValueError("data.table and data.query are both set; keep one of them")
        return self


class SplitsConfig(Section):
    """How rows are held out and folds are made."""

    strategy: Literal["random", "stratified", "grouped", "chronological"] = "stratified"
    """How rows are dealt to folds and holdout; stratified becomes random where the target is a number."""
    holdout_share: Share = 0.2
    """Share of rows held out for the final evaluation, above 0 and below 1."""
    n_folds: int = Field(default=5, ge=2)
    """Number of folds of the cross-validation."""
    n_repeats: PositiveInt = 1
    """Number of times that the cross-validation is repeated with new folds; not for chronological splits."""
    group_column: str | None = None
    """Column whose equal values stay together; needed by grouped splits."""
    time_column: str | None = None
    """Column that orders the rows in time; needed by chronological splits."""

    @model_validator(mode="after")
    def _column_fits_strategy(self) -> Self:
        if self.strategy == "grouped" and self.group_column is None:
            raise ValueError("splits.strategy is 'grouped' but splits.group_column is not set; name the column")
        if self.strategy == "chronological" and self.time_column is None:
            raise ValueError("splits.strategy is 'chronological' but splits.time_column is not set; name the column")
        if self.strategy == "chronological" and self.n_repeats > 1:
            raise ValueError("splits.n_repeats must be 1 for chronological splits, because time has one order only")
        return self


class FeaturesConfig(Section):
    """What the model sees."""

    columns: tuple[str, ...] = ()
    """Raw columns that are features as they are."""
    processes: tuple[str, ...] = ()
    """Feature processes of ml_project/project/features.py whose results are features, by name."""

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        if not self.columns and not self.processes:
            raise ValueError("features.columns and features.processes are both empty; name at least one feature")
        return self


class ImputingConfig(Section):
    """How missing values are filled."""

    number: Literal["median", "mean", "most_frequent", "zero"] = "median"
    """Filling of missing numbers."""
    category: Literal["most_frequent", "missing"] = "missing"
    """Filling of missing categories; missing makes them a category of their own."""
    indicators: bool = True
    """Whether each number with missing values in training gets a column that says where they were."""


class EncodingConfig(Section):
    """How categories become numbers."""

    method: Literal["onehot", "ordinal", "target"] = "onehot"
    """Encoding of categories; an unseen category gets zeros, -1 or the mean of the target."""
    min_rows: PositiveInt = 5
    """A category with fewer training rows is treated as rare: all rare ones become one (one-hot and ordinal)."""
    max_categories: int | None = Field(default=50, ge=2)
    """Most categories kept per column, the rarest becoming one (one-hot and ordinal)."""


class OutlierRemovalConfig(Section):
    """How outliers leave the training rows; prediction never drops a row."""

    method: Literal["isolation_forest", "elliptic_envelope"] = "isolation_forest"
    """Detector of outliers."""
    contamination: float = Field(default=0.02, gt=0, le=0.5)
    """Share of training rows to drop, above 0 and at most 0.5."""


class ReductionConfig(Section):
    """How the number of dimensions is reduced."""

    method: Literal["pca", "lda"] = "pca"
    """Method of reduction; lda is for classification."""
    n_components: PositiveInt | Share | None = None
    """Number of components, or for pca the share of variance to keep; by default 0.95 for pca, all for lda."""


class SelectionConfig(Section):
    """How features are selected."""

    method: Literal["variance", "sequential"] = "variance"
    """Selection by lowest variance, or forward by cross-validated score."""
    threshold: float = Field(default=0.0, ge=0)
    """Variance at or below which a column is dropped (variance)."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Share of columns to keep (sequential)."""


class PreprocessingConfig(Section):
    """How engineered data becomes numbers; a step set to null is left out."""

    imputing: ImputingConfig | None = ImputingConfig()
    """Filling of missing values; null leaves them, which only some candidates can handle."""
    outlier_removal: OutlierRemovalConfig | None = None
    """Dropping of outliers in training; null keeps all rows."""
    scaling: Literal["standard", "min_max", "robust"] | None = "standard"
    """Scaling of numbers; null leaves them."""
    encoding: EncodingConfig = EncodingConfig()
    """Encoding of categories."""
    selection: SelectionConfig | None = None
    """Selection of columns; null keeps all."""
    reduction: ReductionConfig | None = None
    """Reduction of dimensions; null leaves them."""


class ModellingConfig(Section):
    """Which candidates compete, and how the best is found."""

    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    """Kind of target; auto: text, booleans and whole numbers of at most 20 different values are classes."""
    candidates: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names of the candidates that compete; by default all that ml_project/project/candidates.py registers."""
    metric: str | None = None
    """Scorer that ranks, by scikit-learn's name; null: roc_auc, neg_log_loss or neg_root_mean_squared_error by task."""
    further_metrics: tuple[str, ...] = ()
    """Scorers to show beside the ranking one, by scikit-learn's names."""
    n_hyperparameter_optimisation_runs: PositiveInt = 10
    """Trials per candidate; the first one uses the candidate's defaults."""
    time_budget_seconds: float | None = Field(default=None, gt=0)
    """Seconds of fitting per candidate, after which no new trial starts; none by default."""
    n_parallel_trials: PositiveInt = 2
    """Trials per candidate that are drawn together; results depend on it, and not on the number of processes."""
    prune: bool = True
    """Whether a trial stops early when its first folds score below the median of the trials before it."""
    selection_rule: Literal["best_mean", "one_standard_error"] = "best_mean"
    """Winner: the best mean, or the simplest candidate within one standard error of it."""
    search_directory: Path = Path("output/search")
    """Folder for the journals of searches under way, from which an interrupted run goes on."""


class TrackingConfig(Section):
    """What is recorded of a run, and where."""

    enabled: bool = True
    """Whether runs are recorded with MLflow."""
    tracking_uri: str = "sqlite:///mlflow.db"
    """Address of the tracking server or database."""
    experiment: str = "ml_project"
    """Name of the experiment."""
    registered_model: str | None = "ml_project"
    """Name under which the exported model is registered; null registers nothing."""
    champion_rule: Literal["never", "first", "better"] = "better"
    """When a version becomes champion: never, only where there is none, or also when better on the same holdout."""


class ArtifactsConfig(Section):
    """How a model is exported."""

    path: Path = Path("data/serialised_models/model.zip")
    """File of the exported model."""
    engine: Literal["auto", "onnx", "native"] = "auto"
    """Inference engine: auto: the fastest that reproduces the model's predictions; onnx fails where it does not."""


class PredictionConfig(Section):
    """How a table is scored."""

    output: Path = Path("output/predictions.csv")
    """File for the predictions: .csv or .parquet."""
    chunk_rows: PositiveInt = 50_000
    """Rows that are scored at once."""
    invalid_rows: Literal["refuse", "set_aside"] = "refuse"
    """What rows that break the schema do: stop the run, or go to a second file with their problems."""


class EvaluationConfig(Section):
    """What is measured and drawn on the holdout."""

    directory: Path = Path("output/evaluation")
    """Folder for plots, tables and the model card: training/ for a training's, one by the data's name for others."""
    n_bootstrap_samples: PositiveInt = 1000
    """Resamplings behind each confidence interval; fewer, but at least 100, above 50,000 rows."""
    confidence_level: Share = 0.95
    """Level of the confidence intervals, above 0 and below 1."""
    explain: bool = True
    """Whether permutation and SHAP importances are computed."""
    n_explained_rows: PositiveInt = 100
    """Most rows that SHAP explains."""


class ComputeConfig(Section):
    """What a run may use of the machine."""

    n_processes: PositiveInt | None = None
    """Processes that fit models or score rows; by default one per core that this process may use."""
    n_threads: PositiveInt = 1
    """Threads of one fit; more than one can change the last digits of a score."""
    device: Literal["cpu", "gpu", "auto"] = "cpu"
    """Where candidates that can use a GPU are fitted; auto takes a GPU where there is one."""
    seed: int = Field(default=42, ge=0, lt=2**32)
    """Start of every random sequence, 0 to 4294967295."""


class Config(Section):
    """Everything that a run needs to know.

    Raises
    ------
    pydantic.ValidationError
        With every wrong value, combination and name. ``ml_project.config_sources.load_config`` turns it into a
        readable :class:`ml_project.errors.ConfigError`.

    Examples
    --------
    >>> config = Config(data={"source": "people.csv", "target_column": "income"}, features={"columns": ["age"]})
    >>> config.run_mode, config.compute.seed
    ('modelling', 42)
    """

    run_mode: RunMode = "modelling"
    """Train models or use one."""
    data_origin: DataOrigin = "historic"
    """A table of past rows, or records as they come in production."""
    execution: ExecutionPlace = "local"
    """In this process or on this machine, or on a deployed server."""
    data: DataConfig
    """Where the data lies and what its columns are for."""
    splits: SplitsConfig = SplitsConfig()
    """How rows are held out and folds are made."""
    features: FeaturesConfig
    """What the model sees."""
    preprocessing: PreprocessingConfig = PreprocessingConfig()
    """How engineered data becomes numbers."""
    modelling: ModellingConfig = ModellingConfig()
    """Which candidates compete, and how the best is found."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """What is measured and drawn on the holdout."""
    artifacts: ArtifactsConfig = ArtifactsConfig()
    """How a model is exported."""
    prediction: PredictionConfig = PredictionConfig()
    """How a table is scored."""
    serving: ServingConfig = ServingConfig()
    """How the prediction service runs, and how it is reached."""
    monitoring: MonitoringConfig = MonitoringConfig()
    """What is kept of the predictions in production, to watch the model."""
    simulation: SimulationConfig = SimulationConfig()
    """The simulated stream of production records, drawn from the historic data."""
    synthetic: SyntheticConfig = SyntheticConfig()
    """Rows made up from the distributions and correlations of an artifact's reference data."""
    tracking: TrackingConfig = TrackingConfig()
    """What is recorded of a run, and where."""
    compute: ComputeConfig = ComputeConfig()
    """What a run may use of the machine."""

    @property
    def switches(self) -> Switches:
        """Return the three switches."""
        return Switches(self.run_mode, self.data_origin, self.execution)

    @model_validator(mode="after")
    def _switches_fit_together(self) -> Self:
        combination = self.switches
        if combination not in ALLOWED_COMBINATIONS:
            found, *allowed = (" + ".join(one) for one in (combination, *ALLOWED_COMBINATIONS))
            raise ValueError(f"run_mode + data_origin + execution cannot be {found}; allowed: {'; '.join(allowed)}")
        return self

    @model_validator(mode="after")
    def _target_is_no_feature(self) -> Self:
        special = {"data.target_column": self.data.target_column, "data.id_column": self.data.id_column}
        clashes = [f"{field} ({column!r})" for field, column in special.items() if column in self.features.columns]
        if clashes:
            raise ValueError(f"features.columns contains {' and '.join(clashes)}; a target or identifier is no feature")
        return self
