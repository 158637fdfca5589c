"""Where a fault of the program happened, told without what it may know of people (P12)."""

import traceback


def where(error: BaseException) -> str:
    """Return the lines of code that led to a fault, its cause first.

    Exceptions say their class alone: the message of a foreign one may hold a name, a number or a
    key, and what is said here goes to logs and into reports of faults.
    """
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{where(behind)}\nwhich led to:\n" if behind is not None else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{frames}{type(error).__name__}"
