"""The record of a run: what was tried on which data, and the model that came out of it, kept by MLflow.

``open_tracker`` in :mod:`ml_project.tracking.tracker` is the way in. With SQLite, MLflow stores the artifacts' paths as
absolute ones: after moving the project's folder, models of earlier runs are no longer found through the database
(a tracking server does not have this limit).
"""
