"""What a project brings along: its raw data's schema, its feature processes and its candidates."""

from __future__ import annotations

from dataclasses import dataclass

from ml_project.data.raw_schema import RawSchema
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.modelling.candidates import Candidate


@dataclass(frozen=True)
class Project:
    """The user's part of the code, handed to the general part.

    Attributes
    ----------
    schema
        Rules of the raw data's columns.
    processes
        Feature processes that a config can choose from.
    candidates
        Models that a config can choose from.
    """

    schema: RawSchema
    processes: tuple[FeatureProcess, ...]
    candidates: tuple[Candidate, ...]
