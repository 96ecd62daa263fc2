"""Tests of ml_project.data."""
