"""Parts of messages put together to whole sentences, for the flag, the terminal and the page."""

from collections.abc import Iterable

from door_sync.core.people import ContactId

UNCHANGED = "Everybody keeps the access they have: people who left can still open doors."
"""What a cycle that wrote nothing means for the doors."""


def sentence(text: str) -> str:
    """Return a text with a capital at its start and one full stop at its end; "" stays."""
    text = text.strip()
    ends = not text or text.endswith((".", "!", "?"))
    # A word with a dot, a slash or a mark in it is a setting or a command: it keeps its spelling.
    word = text.split(" ", maxsplit=1)[0]
    is_word = word.replace("-", "").replace("'", "").isalpha() and word != "door-sync"
    start = text[:1].upper() if is_word else text[:1]
    return start + text[1:] + ("" if ends else ".")


def named(contact_ids: Iterable[ContactId]) -> str:
    """Return `contact 7`, or `contacts 7, 12`: each once, in order."""
    people = sorted(set(contact_ids))
    return f"contact{'s' if len(people) > 1 else ''} {', '.join(map(str, people))}"


def each_once(texts: Iterable[str]) -> str:
    """Return these texts as one, without what is empty or has been said before."""
    return " ".join(dict.fromkeys(text for text in texts if text))
