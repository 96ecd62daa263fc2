"""What is kept of predictions in production, to watch the model."""
