"""Tests of the prediction pipeline and batch scoring."""
