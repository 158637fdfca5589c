"""Where a fault of the program happened, told without what it may know of people (P12)."""

import traceback


def where(error: BaseException) -> str:
    """Return the lines of code that led to a fault, its cause first.

    Exceptions say their class alone: the message of a foreign one may hold a name, a number or a
    key, and what is said here goes to logs and into reports of faults.
    """
    told, seen = [], set()
    behind: BaseException | None = error
    # One that is raised again after it came out of another thread may stand behind itself.
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        frames = "".join(traceback.format_tb(behind.__traceback__))
        told.append(f"{frames}{type(behind).__name__}")
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)
    return "\nwhich led to:\n".join(reversed(told))
