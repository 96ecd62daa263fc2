"""The record of runs and models in MLflow."""
