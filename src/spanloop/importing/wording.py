"""What files hold, as messages show it."""


def shown(value: object, most: int = 50) -> str:
    """The beginning of a value on one line, whatever white space is in it."""
    return " ".join(str(value)[: 4 * most].split())[:most]
