"""One round of the loop, step by step, without a word about who schedules it.

Every step takes paths, ids and versions and returns such; what it makes is named by content. A round that is killed at
any point is run again from its first step: what is finished is found and taken as it is.

    work       the round's folder, its journal of figures, the lock
    news       is there anything to do?                     check      the same, asked from outside
    inputs     pull, annotations, snapshot                  readiness  enough to train and judge?
    models     train, evaluate, gate                        identity   names made from content
    pending    score, prioritise, log                       scorebook  scores kept between rounds
    closing    the record of the round                      report     its form
"""
