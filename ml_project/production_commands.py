"""What the commands of production do with a config: make up rows, send simulated records, show what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_project.commands import print_places, require_switches
from ml_project.config import DEPLOYED_PRODUCTION, LOCAL_PRODUCTION, SCORING, Config
from ml_project.errors import ConfigError, Problem, WrongKeyError

if TYPE_CHECKING:
    from ml_project.serving.client import PredictionClient
    from ml_project.serving.service import PredictionService

_print_at_once = partial(print, flush=True)


def generate_rows(config: Config) -> None:
    """Make up rows that look like a model's training data, for load tests and demos."""
    from ml_project.artifacts.loading import load_artifact
    from ml_project.data.synthetic import RowGenerator
    from ml_project.data.synthetic_files import write_rows
    from ml_project.output_places import check_output_places
    from ml_project.prediction.progress import show_progress
    from ml_project.project_package import load_feature_processes

    require_switches(config, SCORING)
    output = config.synthetic.output
    place = {"synthetic.output": output}
    check_output_places(files=place if output.suffix else None, folders=None if output.suffix else place)
    artifact = load_artifact(config.artifacts.path, load_feature_processes())
    reference, n_rows = artifact.read_reference(), config.synthetic.n_rows
    generator = RowGenerator.fit(reference, artifact.manifest.raw_schema, correlated=config.synthetic.correlated)
    with show_progress("making rows", n_rows) as advance:
        files = write_rows(generator, config.synthetic, config.compute.seed, advance=advance)
    print(f"{n_rows:,} rows made up from {len(reference):,} training rows of {artifact.manifest.name}.")
    print_places({"rows" if len(files) == 1 else f"{len(files)} files": output})


def predict_stream_in_process(config: Config) -> None:
    """Send simulated production records through the model in this process."""
    from ml_project.project_package import load_feature_processes
    from ml_project.serving.assembly import assemble_service, model_file
    from ml_project.serving.stream import sent_columns, stream_records
    from ml_project.tracking.registry_model import fetch_registry_model

    require_switches(config, LOCAL_PRODUCTION)
    if config.serving.model is not None:
        fetch_registry_model(config.serving.model, config.tracking.tracking_uri, model_file(config))
    quiet = _with_serving(config, log_requests=False)  # there are no requests
    service = assemble_service(quiet, load_feature_processes(), needs_model=True).service
    try:
        model = service.current_model()
        print(f"Predicting in this process with {model.manifest.name} (version {model.model_version}).", flush=True)
        pipeline = model.pipeline
        schema = sent_columns(pipeline.input_schema.names, pipeline.raw_schema, config.data.id_column)
        stream_records(config, partial(_answer_in_process, service), schema, tell=_print_at_once)
    finally:
        service.close()


def predict_stream_with_fastapi(config: Config) -> None:
    """Send simulated production records to a local FastAPI service, started where none runs."""
    _predict_stream_locally(config, "fastapi")


def predict_stream_with_flask(config: Config) -> None:
    """Send simulated production records to a local Flask service, started where none runs."""
    _predict_stream_locally(config, "flask")


def predict_stream_deployed(config: Config) -> None:
    """Send simulated production records to a deployed service."""
    from ml_project.serving.local_service import contact, describe_model

    require_switches(config, DEPLOYED_PRODUCTION)
    url = config.serving.prediction_service_url
    if url is None:
        problem = Problem(
            "must be set to the address of the service, such as https://predictions.example.com",
            "serving.prediction_service_url",
        )
        raise ConfigError("There is no deployed service to send records to; nothing was sent.", [problem])
    with contact(config, url) as client:
        try:
            print(f"Sending to {url}: {describe_model(client.version())}.", flush=True)
        except WrongKeyError as error:
            hint = "set ML_PROJECT_SERVING__API_KEY to the key of the service"
            raise WrongKeyError(f"{error.message}; {hint}") from error
        _stream_to(config, client)


def _predict_stream_locally(config: Config, framework: str) -> None:
    from ml_project.serving.local_service import contact, local_service

    require_switches(config, LOCAL_PRODUCTION)
    chosen = _with_serving(config, framework=framework)
    with local_service(chosen, tell=_print_at_once) as url, contact(chosen, url) as client:
        _stream_to(chosen, client)


def _with_serving(config: Config, **fields: Any) -> Config:
    return config.model_copy(update={"serving": config.serving.model_copy(update=fields)})


def _stream_to(config: Config, client: PredictionClient) -> None:
    from ml_project.project_package import load_project
    from ml_project.serving.stream import sent_columns, stream_records

    wanted = client.schema().get("properties", {})
    schema = sent_columns(wanted, load_project().schema, config.data.id_column)
    stream_records(config, client.predict, schema, tell=_print_at_once)


def _answer_in_process(service: PredictionService, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    served = service.predict(records)
    if served.stored is not None:
        served.stored.result()
    return served.answers
