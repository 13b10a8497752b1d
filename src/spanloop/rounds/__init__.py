"""One round of the loop, step by step, without a word about who schedules it.

Every step takes paths, ids and versions and returns its section of the round's record; what it makes is named by
content. A round that is killed at any point is run again from its first step: what is finished is found and taken as
it is. `label_review` is no step: it looks back at what was submitted.

    work         the round's folder, its journal, the lock    figures    the sections, one a step
    inputs       pull, annotations, snapshot                  readiness  enough to train and judge?
    holding      store and dataset belong to each other       grouping   groups and splits are kept
    news         is there anything to do?                     waiting    records that wait, and their texts
    outside      the same, without a round                    identity   names made from content
    models       train, evaluate, gate                        scorebook  scores kept between rounds
    suggestions  score, prioritise, log                       vectorbook embeddings kept between rounds
    ordering     records and scores become the queue          progress   lines in the log of a long step
    outlook      what more annotating brings and costs        lineage    past models of one learning curve
    relabelling  what models of other labels found
    closing      the record is published                      report     its form
"""
