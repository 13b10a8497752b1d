"""What counts beside informativeness: steps that each take the values of n records and return n new ones.

A step sees values in (0, 1], higher first, and keeps them there; steps are applied one after another, in any number.

    prioritise(pending, selection, splits, steps=[per_cost(0.5), damp_groups(0.7)])
"""

from collections.abc import Callable, Sequence

import numpy as np

from spanloop.selection.pending import FloatArray, Pending

Step = Callable[[FloatArray, Sequence[Pending]], FloatArray]


def ranks(values: FloatArray) -> FloatArray:
    """Replace values by their rank over their number, in (0, 1]: measures of any scale become comparable.

    Equal values share the mean of their ranks.
    """
    if not len(values):
        return values
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    upto = np.cumsum(times)
    mean: FloatArray = (upto - (times - 1) / 2) / len(values)
    return mean[place]
