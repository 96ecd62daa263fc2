"""Tests of scaffolding.writing."""
