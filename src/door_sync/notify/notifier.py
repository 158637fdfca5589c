"""What the program asks of a channel: the port that mail and other services fill."""

from typing import Protocol

from door_sync.ports import DoorSyncError


class NotifyError(DoorSyncError):
    """An alert could not be sent; the cycle is not affected (P14).

    The message names no address, no key, and no banner of a server; the log says the `code` alone,
    which is a status or a word.
    """

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class Notifier(Protocol):
    """A way to call a person besides the flag file: mail, or a service for messages."""

    def send(self, subject: str, text: str) -> None:
        """Hand one message over; raise NotifyError if it was not taken."""
        ...
