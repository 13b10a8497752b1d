"""The loop with a simulated annotator: the demonstration on a real Argilla, and rehearsals on annotated files.

demonstration   annotator  answers as people would      material  text and what is held back    corpus  CoNLL-2003
rehearsal       pools      what is chosen from          plan      what a folder is bound to     contenders
courses    a strategy with a seed       crew      the processes that work       play
its results     step_results                            curves    figures of a curve            verdict  sheet
"""
