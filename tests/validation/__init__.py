"""Tests of ml_project.validation."""
