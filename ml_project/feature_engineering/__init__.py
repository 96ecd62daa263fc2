"""The interface for feature processes, ready-made ones, and the check of a user's own."""
