"""Tests of ml_project.preprocessing."""
