"""From a table to a monitored prediction service, driven by one Config object."""

__version__ = "0.1.0"
