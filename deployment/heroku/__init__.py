"""Heroku: what its Python buildpack wants to find at the root of the repository that is pushed."""
