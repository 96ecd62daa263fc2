"""Google Cloud Run: the release image of docker, run by Google."""
