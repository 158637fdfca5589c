"""Makes the sample files and the handbook's page from the model, so that they cannot differ."""

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from door_sync.settings import kinds
from door_sync.settings.fields import Section
from door_sync.settings.loading import CONFIG_DIRECTORY, CONFIG_NAME, ENV_NAME
from door_sync.settings.model import Rule
from door_sync.settings.secrets import NEEDED, PURPOSES

_WIDTH = 96
_SAMPLE_RULE = "Gold"
_MORE_RULES = """\
#[tier_mapping.rules."Friend of the club"]
#resolution = "none"

#[tier_mapping.rules."Day pass"]
#resolution = "day-pass"
"""


def write_reference(root: Path) -> None:
    """Write config.example.toml, .env.example and docs/configuration.md below `root`."""
    for name, text in reference_files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def reference_files() -> dict[str, str]:
    """Return the text of every file made here by its path in the repository."""
    return {
        "config.example.toml": sample_config(),
        ".env.example": sample_env(),
        "docs/configuration.md": handbook_page(),
    }


def sample_config() -> str:
    """Return a config.toml with every key: what a site must look at as it is, the rest as a
    comment with its default."""
    lines = [
        "# Settings of door-sync. Copy this file to config.toml and go through it from the top.",
        "# Lines that begin with # and a word of their own are the defaults: take the # away to",
        "# change one. Keys and passwords do not belong here but into the env file (.env.example).",
        "# `door-sync validate-config` names everything that is wrong, at once.",
        "",
    ]
    for path, table in kinds.tables():
        lines += _sample_table(path, table)
    return "\n".join(lines).rstrip("\n") + "\n"


def sample_env() -> str:
    """Return an env file with every secret, the optional ones as comments."""
    lines = [
        "# Secrets of door-sync. Copy this file to .env, fill it in, and keep it to the user that",
        "# runs door-sync: chmod 600 .env",
    ]
    for name, purpose in PURPOSES.items():
        mark = "" if name in NEEDED else "#"
        lines += ["", *comment(_sentence(purpose)), f"{mark}{name}="]
    return "\n".join(lines) + "\n"


def handbook_page() -> str:
    """Return the page of the handbook with a table of the keys of each table, in Markdown."""
    sections = [f"{_INTRODUCTION}\n{_secrets_table()}\n## Settings\n"]
    sections += filter(None, (_handbook_section(path, table) for path, table in kinds.tables()))
    return "\n".join(sections)


_INTRODUCTION = f"""\
# Configuration

door-sync reads two files: `{CONFIG_NAME}` with the settings and `{ENV_NAME}`, the env file, with
the secrets. It looks for them where `--config` and `--env-file` say, else in the directory that
`{CONFIG_DIRECTORY}` names, else in the working directory. A relative path inside the settings
starts at the directory of `{CONFIG_NAME}`.

`door-sync validate-config` checks both files and names everything that is wrong, at once. No
command runs with settings that have a fault; the exit code is 78.

`config.example.toml` and `.env.example` are samples to begin with.

## Secrets

Each secret may stand in the env file, in the environment, or be a systemd credential of the same
name (`LoadCredential=`). The env file wins over the environment, the environment over the
credential. An empty value counts as none. The env file has lines of the form `NAME=value`, with or
without `export` and quotes; lines that begin with `#` are comments.

A secret in `{CONFIG_NAME}` is refused.
"""


def _secrets_table() -> str:
    rows = [f"| `{name}` | {_cell(_sentence(purpose))} |" for name, purpose in PURPOSES.items()]
    return "\n".join(["| name | what it is |", "| --- | --- |", *rows, ""])


def _handbook_section(path: tuple[str, ...], table: type[Section]) -> str:
    rows = [
        f"| `{name}` | {_cell(kinds.kind_of(info))} | {_default_cell(info)} "
        f"| {_cell(info.description or '')} |"
        for name, info in value_keys(table)
    ]
    if not path:
        title = "At the top of the file"
        text = "These keys stand before the first table."
    else:
        title, text = f"`[{'.'.join(path)}]`", doc_of(table)
    if not rows and kinds.fields_of(table):
        return ""  # a table that only holds tables
    head = ["| key | kind | default | meaning |", "| --- | --- | --- | --- |"] if rows else []
    return "\n".join([f"### {title}\n", text, "", *head, *rows, ""])


def _default_cell(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = kinds.default_of(info)
    return "–" if default is None else f"`{_cell(kinds.in_toml(default))}`"


def _sample_table(path: tuple[str, ...], table: type[Section]) -> Iterator[str]:
    values = list(value_keys(table))
    if path and not values:
        return  # a table that only holds tables, or nothing at all
    optional = "#" if path[:1] == ("alert",) and len(path) > 1 else ""
    if path:
        names = [_SAMPLE_RULE if name == kinds.ANY_NAME else name for name in path]
        yield from comment(doc_of(table))
        yield f"{optional}[{'.'.join(names)}]"
    for name, info in values:
        yield from comment(described(info))
        mark = optional or ("#" if kinds.is_commented(info) else "")
        yield f"{mark}{name} = {kinds.in_toml(kinds.example_value(info))}"
    yield ""
    if table is Rule:
        yield _MORE_RULES


def described(info: FieldInfo) -> str:
    """Return what a key is for, with its range if it has one, as its comment says it."""
    kind = kinds.kind_of(info)
    has_range = any(character.isdigit() for character in kind)
    return f"{info.description} {_sentence(kind)}." if has_range else str(info.description)


def value_keys(table: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the keys of a table that hold a value, with what is known of each."""
    for name, info in kinds.fields_of(table).items():
        if kinds.table_of(info) is None:
            yield name, info


def doc_of(table: type[Section]) -> str:
    """Return what a table is for."""
    return " ".join(inspect.cleandoc(table.__doc__ or "").split())


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def comment(text: str) -> list[str]:
    """Return a text as lines of comment."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
