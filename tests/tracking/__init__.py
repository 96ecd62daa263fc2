"""Tests of the record of runs."""
