"""The benchmark of a year: a tiny loop on the real services, a round a day, and what it leaves behind."""
