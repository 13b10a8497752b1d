"""spanloop: an active-learning loop for span annotation that a team can leave running."""

__version__ = "0.1.0"
