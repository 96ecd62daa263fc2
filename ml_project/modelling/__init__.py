"""Candidates, the search for their hyper-parameters, the leaderboard and the training run."""
