"""The parts of this project, put together."""

from ml_project.data.schema_reader import read_schema
from ml_project.modelling.project_parts import Project
from ml_project.project.candidates import CANDIDATES
from ml_project.project.features import FEATURE_PROCESSES
from ml_project.project.schema import RawData


def load_project() -> Project:
    """Return this project's schema, feature processes and candidates."""
    return Project(schema=read_schema(RawData), processes=FEATURE_PROCESSES, candidates=CANDIDATES)
