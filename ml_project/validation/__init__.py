"""Checks of raw data, engineered data and single records, all derived from one schema."""
