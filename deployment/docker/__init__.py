"""The REST service as an image, for any place that runs containers."""
