"""What the commands of production do with a config: make up rows, send simulated records, show what came back."""

from __future__ import annotations

from ml_project.commands import print_places, require_switches
from ml_project.config import SCORING, Config


def generate_rows(config: Config) -> None:
    """Make up rows that look like a model's training data, for load tests and demos."""
    from ml_project.artifacts.loading import load_artifact
    from ml_project.data.synthetic import RowGenerator
    from ml_project.data.synthetic_files import write_rows
    from ml_project.output_places import check_output_places
    from ml_project.prediction.progress import show_progress
    from ml_project.prediction.table_writer import open_writer
    from ml_project.project.features import FEATURE_PROCESSES

    require_switches(config, SCORING)
    output = config.synthetic.output
    place = {"synthetic.output": output}
    check_output_places(files=place if output.suffix else None, folders=None if output.suffix else place)
    artifact = load_artifact(config.artifacts.path, FEATURE_PROCESSES)
    reference, n_rows = artifact.read_reference(), config.synthetic.n_rows
    generator = RowGenerator.fit(reference, artifact.manifest.raw_schema, correlated=config.synthetic.correlated)
    with show_progress("making rows", n_rows) as advance:
        files = write_rows(generator, config.synthetic, config.compute.seed, open_writer=open_writer, advance=advance)
    print(f"{n_rows:,} rows made up from {len(reference):,} training rows of {artifact.manifest.name}.")
    print_places({"rows" if len(files) == 1 else f"{len(files)} files": output})
