"""Tests of scaffolding.profiling."""
