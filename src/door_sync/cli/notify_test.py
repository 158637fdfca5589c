"""`notify-test`: does a call for a person reach anybody (P14)?"""

import json
from dataclasses import dataclass

import click

from door_sync.app.channels import LABELS, deliver, notifier_of
from door_sync.app.clock import SystemClock
from door_sync.app.sentences import sentence
from door_sync.cli.context import Options
from door_sync.cli.entry import EXIT_FAULT
from door_sync.cli.showing import show
from door_sync.files import OpsFileError
from door_sync.notify.flag import check_flag
from door_sync.notify.notifier import NotifyError
from door_sync.ports import DoorSyncError
from door_sync.settings import Settings

SUBJECT = "Test: alerts reach you"
TEXT = (
    "This is a test of door-sync's alerts. Nothing has happened and nothing has to be done.\n\n"
    "When something needs a person, a message like this one comes when it begins, reminders while "
    "it lasts, and one when it is over.\n"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the test: by which transport, and what went wrong with it or the flag."""

    transport: str
    flag: str
    unsent: NotifyError | None
    unwritable: OpsFileError | None

    @property
    def is_good(self) -> bool:
        """Say whether both would reach somebody."""
        return self.unsent is None and self.unwritable is None


@click.command("notify-test")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(options: Options, as_json: bool) -> int:
    """Send a test message by the channel of alert.transport, and look at the flag file.

    A flag that stands is left as it is. Ends with 2 if the message was not taken, or if the flag
    could not be written.
    """
    tried = _try(options.load())
    show(_json(tried) if as_json else _text(tried))
    return 0 if tried.is_good else EXIT_FAULT


def _try(settings: Settings) -> Tried:
    unsent, unwritable = None, None
    notifier = notifier_of(settings, SystemClock())
    if notifier is not None:
        try:
            deliver(notifier, SUBJECT, TEXT)
        except NotifyError as error:
            unsent = error
    try:
        check_flag(settings.ops.alert_flag)
    except OpsFileError as error:
        unwritable = error
    return Tried(settings.alert.transport, str(settings.ops.alert_flag), unsent, unwritable)


def _text(tried: Tried) -> str:
    label = LABELS[tried.transport]
    if tried.transport == "flag-file":
        lines = [f"Nothing was sent: alerts are told {label}. Let something watch {tried.flag}."]
    elif tried.unsent is None:
        lines = [f"Sent: a test message, {label}. Look whether it has arrived."]
    else:
        lines = [f"Not sent: no alert would arrive {label}.", *_why(tried.unsent)]
    if tried.unwritable is None:
        lines.append("The flag file could be written. One that stands was left as it is.")
    else:
        lines += ["The flag file could not be written.", *_why(tried.unwritable)]
    return "".join(f"{line}\n" for line in lines)


def _why(error: DoorSyncError) -> list[str]:
    remedy = [f"  What to do: {sentence(error.remedy)}"] if error.remedy else []
    return [f"  Why: {sentence(error.message)}", *remedy]


def _json(tried: Tried) -> str:
    content = {
        "transport": tried.transport,
        "sent": tried.transport != "flag-file" and tried.unsent is None,
        "flag_writable": tried.unwritable is None,
        "errors": [
            {"message": error.message, "remedy": error.remedy}
            for error in (tried.unsent, tried.unwritable)
            if error is not None
        ],
    }
    return json.dumps(content, indent=2) + "\n"
