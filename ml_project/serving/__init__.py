"""The prediction service: web applications, the model they serve, and what happens to it while they run."""
