"""The one path from raw data to predictions."""
