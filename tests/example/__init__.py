"""The project of the general tests: the Titanic, whatever stands in ``ml_project/project``."""
