"""Bringing one exported model to a cloud: a framework in ``deployer``, one folder per provider beside it."""
