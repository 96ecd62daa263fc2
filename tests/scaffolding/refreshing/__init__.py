"""Tests of scaffolding.refreshing."""
