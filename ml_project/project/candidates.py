"""The candidates of this project: the standard ones, and any of your own with scikit-learn's interface.

A candidate is a function that builds an unfitted estimator, and a search space. For instance::

    def build_neighbours(settings: FitSettings) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(algorithm="brute", n_jobs=settings.n_threads)

    CANDIDATES = (
        *STANDARD_CANDIDATES,
        Candidate("neighbours", 3, build_neighbours, (Whole("n_neighbors", 1, 50, default=15, log=True),)),
    )

All of them compete unless ``modelling.candidates`` of the config names some.
"""

from ml_project.modelling.candidates import Candidate
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES

CANDIDATES: tuple[Candidate, ...] = STANDARD_CANDIDATES
