"""The folder that `evaluate.load` reads: strict IOB2 seqeval as a local metric."""
