"""spanloop: an active-learning loop for span annotation that a team can leave running.

The rooms, each above those that it may use (import rules hold the order):

    cli             the command line
    rehearsal       the loop with a simulated annotator
    reports         rounds in words, tables and pictures
    rounds          one round, step by step
    training        a token classifier from a snapshot
    services        Argilla, Prefect and a worker, up and down together
    snapshot        immutable versions of the data set
    importing       files of many formats into Argilla
    local_argilla   the real Argilla server on this machine, with a search engine of ours
    annotations     several people's responses become one annotation
    argilla         the door to Argilla
    scoring         from texts to spans with probabilities
    selection       which pending record comes first
    model           how a model reads text and answers
    evaluation      how good a model is, and which one serves
    store           what rounds publish, whole or not at all
    processes       child processes and their ends
    installing      packages into an environment, by uv or pip
    spans, settings, words, records, durable, config, errors    the words of the project, files replaced whole

The library from Python, in a folder with a `spanloop.yaml` and a round behind it:

    from pathlib import Path

    from spanloop.scoring import Scorer
    from spanloop.settings import load_config
    from spanloop.snapshot import read_examples
    from spanloop.store import Store
    from spanloop.training import train

    config = load_config()
    store = Store(config.store)
    snapshot = store.path("snapshots", store.names("snapshots")[-1])
    print(len(read_examples(snapshot, "train")), "training records in", snapshot.name)

    result = train(snapshot, config.training, Path("model"))
    scorer = Scorer.load(Path("model"), config.scoring)
    (scored,) = scorer.score([("any id", "Ada Lovelace met Charles Babbage in London.")])
    print(scored.spans, f"after {result.seconds:.0f} seconds")
"""

__version__ = "0.1.0"
