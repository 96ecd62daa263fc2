"""From a table to a monitored prediction service, driven by one Config object."""
