"""Checks, writes, remembers and removes the files that a provider wants: ``python -m deployment.deployer``."""
