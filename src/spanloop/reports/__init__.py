"""What a round leaves for people to read."""
