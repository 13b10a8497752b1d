"""From the answers of several people to one, and how far they agree."""
