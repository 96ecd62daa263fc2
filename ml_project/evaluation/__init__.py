"""Metrics, plots, explanations and the model card."""
