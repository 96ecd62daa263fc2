"""Every target of a deployment, run on its provider's own runtime and asked the same."""
