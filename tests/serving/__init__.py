"""Tests of ml_project.serving."""
