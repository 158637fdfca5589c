"""The log on standard error: structlog through the standard library's logging (§11).

What is logged are ids, counts and codes, and of exceptions the place and the class (P12).
"""

import logging
import sys
from datetime import datetime

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from door_sync.app.faults import where


def configure_logs(*, verbose: bool, log_format: str) -> None:
    """Send everything that is logged to standard error, as text or as JSON lines."""
    shared: list[Processor] = [structlog.stdlib.add_log_level, _at_local_time, _without_messages]
    renderer: Processor = structlog.dev.ConsoleRenderer(colors=False)
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("door_sync").setLevel(logging.DEBUG if verbose else logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _at_local_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Stamp a line with the time on the wall, and its distance from UTC for whoever compares."""
    event["timestamp"] = datetime.now().astimezone().isoformat(timespec="seconds")
    return event


def _without_messages(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Let an exception say where it happened and its class, whoever logged it."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["where"] = where(error)
    return event
