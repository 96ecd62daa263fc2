"""The sections of the config that concern predictions in production: service, storage, simulated stream, made rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from ml_project.config_section import Section, Share

ExampleFormat = Literal["json", "csv", "mlflow", "v2"]
REGISTRY_ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))")


class ServingConfig(Section):
    """How the prediction service runs, and how it is reached."""

    framework: Literal["fastapi", "flask"] = "fastapi"
    """Web framework: fastapi under uvicorn, or flask under gunicorn."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all of the machine's."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    workers: PositiveInt = 1
    """Processes that answer requests, each with a model of its own."""
    model: str | None = None
    """Model in the registry, models:/NAME@ALIAS or models:/NAME/VERSION; null serves the file artifacts.path."""
    model_name: str = Field(default="model", pattern=r"^[\w.-]+$")
    """Name of the model in the routes /v2/models/{name}."""
    model_check_seconds: PositiveFloat = 2.0
    """Seconds between two looks whether the model's file or alias has changed."""
    max_body_bytes: PositiveInt = 10_000_000
    """Largest body of a request, bytes; above it the answer is 413."""
    max_body_seconds: PositiveInt = 30
    """Seconds that a client gets to send a body (under flask each piece of it); then the answer is 408."""
    max_batch_rows: PositiveInt = 10_000
    """Most records in one request; above it the answer is 413."""
    max_concurrent_requests: PositiveInt = 1000
    """Most requests of one worker under way at the same time; above it the answer is 503."""
    shutdown_seconds: PositiveInt = 20
    """Seconds that requests under way get to end after SIGTERM."""
    api_key: str | None = Field(default=None, min_length=16, repr=False)
    """Key that requests must carry, except those for health; set it as ML_PROJECT_SERVING__API_KEY, not in a file."""
    log_requests: bool = True
    """Whether each request is logged; problems are in any case."""
    log_style: Literal["json", "google", "aws"] = "json"
    """Form of the log's lines: the service's own, Google Cloud Logging's (with traces), or CloudWatch's."""
    prediction_service_url: str | None = None
    """Address of a deployed service to send records to."""
    timeout_seconds: PositiveFloat = 10.0
    """Seconds that a client waits for the service's connection and for its answer."""
    max_attempts: PositiveInt = 5
    """Attempts of a client at one request while the connection fails or the answer is 503."""
    example_format: ExampleFormat = "json"
    """Form in which a record is printed: for /predict, as CSV or for MLflow's clients (/invocations), or for /v2."""

    @field_validator("model")
    @classmethod
    def _is_registry_address(cls, address: str | None) -> str | None:
        if address is not None and not REGISTRY_ADDRESS.fullmatch(address):
            raise ValueError("must be models:/NAME@ALIAS or models:/NAME/VERSION; for a file set artifacts.path")
        return address

    @field_validator("prediction_service_url")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            raise ValueError("must be an address such as https://predictions.example.com")
        return None if url is None else url.rstrip("/")


class StorageConfig(Section):
    """Where predictions, the features behind them and the labels fed back are kept."""

    url: str = "sqlite:///output/predictions.db"
    """SQLAlchemy URL of the database; its tables are made where they are missing."""
    window_milliseconds: PositiveInt = 200
    """Longest time that a prediction waits to be written; a killed process loses at most those of this window."""
    durable: bool = False
    """Whether an answer waits until its prediction is written, so that a killed process loses nothing answered."""
    max_pending: PositiveInt = 50_000
    """Most predictions waiting to be written; more are lost, counted and logged, but answered."""
    timeout_seconds: PositiveFloat = 5.0
    """Seconds that a durable answer waits for the database, and that the service's end does."""


class MonitoringConfig(Section):
    """What is kept of the predictions in production, to watch the model."""

    storage: StorageConfig | None = StorageConfig()
    """Storage of predictions, features and labels; null keeps nothing."""


class DriftConfig(Section):
    """What the simulated records are changed by."""

    shift: dict[str, float] = {}
    """Amount added to numeric columns, by column."""
    new_category: dict[str, str] = {}
    """Text that replaces the value, by column."""
    missing: dict[str, Share] = {}
    """Share of values removed, by column, above 0 and below 1."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the records that are shifted or get a new category, above 0 and at most 1."""
    start: int = Field(default=0, ge=0)
    """Number of records before the drift begins."""


class SimulationConfig(Section):
    """The simulated stream of production records, drawn from the historic data."""

    n_instances: PositiveInt = 100
    """Number of records."""
    batch_size: PositiveInt = 1
    """Records per request."""
    rate: PositiveFloat | None = None
    """Records per second; null sends each batch as soon as the one before is answered."""
    order: Literal["random", "historic"] = "random"
    """Records drawn with replacement, seeded by compute.seed, or as they stand in the data, from the start."""
    drift: DriftConfig | None = None
    """How the records differ from the historic data; null leaves them."""
    output: Path | None = None
    """CSV file for the answers; null writes none."""


class SyntheticConfig(Section):
    """Rows made up from the distributions and correlations of an artifact's reference data."""

    n_rows: PositiveInt = 10_000
    """Number of rows."""
    output: Path = Path("output/synthetic")
    """Folder for Parquet files, or one file: .csv or .parquet."""
    rows_per_file: PositiveInt = 500_000
    """Rows per file in a folder."""
    correlated: bool = True
    """Whether columns depend on each other as in the reference data."""

    @model_validator(mode="after")
    def _ending_is_known(self) -> Self:
        if self.output.suffix not in ("", ".csv", ".parquet"):
            raise ValueError(f"synthetic.output is {str(self.output)!r}; name a folder, a .csv or a .parquet file")
        return self
