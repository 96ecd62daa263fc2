"""Check that the parts of a project fit each other and its data: ``python -m scaffolding.template.verifying``.

The config is loaded, and each source is read, checked against the schema, split, and turned into features, as at the
beginning of a training. Without sources, it is the one of the config.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ml_project.config import MODELLING
from ml_project.config_sources import load_config
from ml_project.errors import MlProjectError
from ml_project.modelling.training_data import make_training_data, read_dataset
from ml_project.project_package import load_project
from ml_project.use_case_file import USE_CASE_FILE, load_use_case


def verify(sources: Sequence[str]) -> None:
    """Check the project in the working directory.

    Parameters
    ----------
    sources
        Data that must obey the schema; none for the config's own.

    Raises
    ------
    MlProjectError
        When the config, the schema, the features and the data do not fit each other.
    """
    project, use_case = load_project(), load_use_case(USE_CASE_FILE, MODELLING)
    for options in [{"data.source": source} for source in sources] or [{}]:
        config = load_config(use_case, options=options)
        make_training_data(read_dataset(config, project), config, project)


def main(sources: Sequence[str]) -> int:
    """Verify and return the exit code."""
    try:
        verify(sources)
    except MlProjectError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
