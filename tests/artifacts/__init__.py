"""Tests of the exported artifact."""
