"""Sources, the schema of raw data, retrieval of historic and production data, and splits."""
