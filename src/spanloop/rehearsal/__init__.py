"""The loop with a simulated annotator: the demonstration on a real Argilla, and rehearsals on annotated files."""
