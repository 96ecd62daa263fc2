"""Tests of ml_project.project."""
