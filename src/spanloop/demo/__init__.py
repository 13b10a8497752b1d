"""The demonstration: the whole loop on real text, with a simulated annotator in the place of people."""
