"""Tests of scaffolding.template."""
