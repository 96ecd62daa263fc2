"""What cloud functions are called with, turned into requests of the contract, and its answers turned back."""
