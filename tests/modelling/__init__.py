"""Tests of ml_project.modelling."""
