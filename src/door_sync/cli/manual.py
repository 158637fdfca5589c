"""The manual page, door-sync(1), made of what the commands say about themselves.

`python -m door_sync.cli.manual` prints it; the page that is kept in packaging/man is compared.
"""

import inspect
from collections.abc import Iterator

import click

from door_sync.cli.entry import COMMANDS, root
from door_sync.cli.showing import show
from door_sync.settings.secrets import PURPOSES

EXIT_CODES = {
    0: "Done, or nothing to do.",
    1: "A guard holds at least a part, which waits for a person.",
    2: "Failed: a system unreachable or not to be believed, a file, a fault of the program.",
    3: "Some people failed; all others are done.",
    10: "There are changes (only plan --detailed-exitcode).",
    64: "Wrong use: no such command or option.",
    75: "Another cycle of this site is running.",
    78: "The configuration has a fault.",
    130: "Interrupted.",
}

_FILES = {
    "/etc/door-sync/config.toml": "Settings; config.toml of the working directory where "
    "DOOR_SYNC_CONFIG_DIR is not set.",
    "/etc/door-sync/.env": "Secrets, for the user alone that runs door-sync.",
    "/var/lib/door-sync/history.db": "The journal: every cycle and every write.",
    "/var/lib/door-sync/state.json": "How the site fares, for monitoring.",
    "/var/log/door-sync/audit.jsonl": "One line of JSON for each cycle.",
    "/run/door-sync/alert.flag": "Exists while something needs a person, and says what.",
}


def man_page() -> str:
    """Return the page as roff, for the section 1."""
    lines = [
        '.TH DOOR-SYNC 1 "" "door-sync" "User commands"',
        ".SH NAME",
        r"door\-sync \- keep a UniFi Access controller equal to a CiviCRM membership list",
        ".SH SYNOPSIS",
        r".B door\-sync",
        r"[\fIoptions\fR] \fIcommand\fR [\fIarguments\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(root),
        ".SH OPTIONS",
        *_options(root),
        ".SH COMMANDS",
    ]
    for words, command in _commands():
        lines += _told(words, command)
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES.items():
        lines += [".TP", f".B {code}", _plain(meaning)]
    lines += [".SH ENVIRONMENT", ".TP", ".B DOOR_SYNC_CONFIG_DIR"]
    lines.append(_plain("The directory of config.toml and .env; else the working directory."))
    for name, purpose in PURPOSES.items():
        lines += [".TP", f".B {name}", _plain(f"{purpose[0].upper()}{purpose[1:]}.")]
    lines += [
        ".PP",
        _plain("The env file wins over the environment, that over a credential of systemd."),
        ".SH FILES",
    ]
    for path, meaning in _FILES.items():
        lines += [".TP", f".I {_escaped(path)}", _plain(meaning)]
    return "\n".join([*lines, ""])


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        if command is None or command.name != name:
            continue  # a second name for another one
        yield name, command
        if isinstance(command, click.Group):
            for inner, below in sorted(command.commands.items()):
                yield f"{name} {inner}", below


def _told(words: str, command: click.Command) -> Iterator[str]:
    yield f".SS {_escaped(words)}"
    context = click.Context(command, info_name=f"door-sync {words}", **root.context_settings)
    usage = " ".join(command.collect_usage_pieces(context))
    yield rf"\fBdoor\-sync {_escaped(words)}\fR {_escaped(usage)}"
    yield ".PP"
    yield from _paragraphs(command)
    yield from _options(command)
    module = COMMANDS[words].module if words in COMMANDS else None
    for other, listed in COMMANDS.items():
        if listed.module == module and other != words:
            yield from (".PP", _plain(f"It is called {other}, too."))


def _paragraphs(command: click.Command) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        keeps_lines = paragraph.startswith("\b")
        lines = [line for line in paragraph.split("\n") if line != "\b"]
        if keeps_lines:
            yield from (".nf", *(_plain(line) for line in lines), ".fi")
        else:
            yield _plain(" ".join(lines))


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command, **root.context_settings)
    for option in command.params:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None:
            names, meaning = record
            yield from (".TP", f".B {_escaped(names)}", _plain(meaning))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")


def _plain(text: str) -> str:
    """Return text as one input line of roff; one that begins like a request is guarded."""
    escaped = _escaped(text)
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    show(man_page())
