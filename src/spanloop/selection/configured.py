"""The steps that the configuration asks for, in the order in which they are applied."""

from spanloop.config import SelectionConfig
from spanloop.selection.diversity import diversify
from spanloop.selection.steps import Step, damp_duplicates, damp_groups, per_word


def configured(config: SelectionConfig) -> list[Step]:
    """Make the steps; those that would change nothing are left out.

    Args:
        config: Cost, duplicates, groups and diversity.

    Returns:
        The steps; diversity comes last, because it looks at the order that the others made.
    """
    steps = [
        (config.cost_power > 0, per_word(config.cost_power)),
        (config.duplicate_factor < 1, damp_duplicates(config.duplicate_factor)),
        (config.group_factor < 1, damp_groups(config.group_factor)),
        (config.diversity_weight > 0, diversify(config.diversity_weight)),
    ]
    return [step for wanted, step in steps if wanted]
