"""Tests of scaffolding."""
