"""The part that a user changes: the schema of the raw data and the feature processes."""
