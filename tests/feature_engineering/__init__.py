"""Tests of ml_project.feature_engineering."""
