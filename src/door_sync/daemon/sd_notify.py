"""What systemd is told, by a datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)).

Nobody listens where the variable is missing, and nothing is raised where the manager does not: a
service manager's restart must not end a cycle.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

SOCKET: Final = "NOTIFY_SOCKET"
WATCHDOG_MICROSECONDS: Final = "WATCHDOG_USEC"
WATCHDOG_PROCESS: Final = "WATCHDOG_PID"


class Manager:
    """The service manager that started this process, if there is one."""

    def __init__(
        self, address: str = "", monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        # "@" stands for the zero byte at the beginning of an abstract socket's name.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._monotonic_ns = monotonic_ns

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Manager":
        """Return the manager that the environment names."""
        return cls(environ.get(SOCKET, ""))

    def tell(self, **fields: str | int) -> None:
        """Send fields such as READY=1 in one message; line breaks in a value become blanks."""
        if not self._address:
            return
        lines = [f"{name}={' '.join(str(value).split())}" for name, value in fields.items()]
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), self._address)

    def reloading(self, status: str) -> None:
        """Say that the settings are being read. With Type=notify-reload systemd wants the time of
        its own clock, CLOCK_MONOTONIC, with it."""
        self.tell(RELOADING=1, MONOTONIC_USEC=self._monotonic_ns() // 1000, STATUS=status)


def watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """Return within which time systemd wants to hear from this process; None if it does not."""
    meant_for = environ.get(WATCHDOG_PROCESS, "")
    limit = environ.get(WATCHDOG_MICROSECONDS, "")
    if meant_for not in {"", str(os.getpid())} or not limit.isdecimal() or int(limit) == 0:
        return None
    return int(limit) / 1_000_000
