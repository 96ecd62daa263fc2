"""The candidates of the example: the standard ones."""

from ml_project.modelling.candidates import Candidate
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES

CANDIDATES: tuple[Candidate, ...] = STANDARD_CANDIDATES
