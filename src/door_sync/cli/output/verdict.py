"""What `history verify` and `history prune` say."""

import json
from collections.abc import Sequence

from door_sync.app.past import Verdict
from door_sync.cli.output.wording import counted, harmless
from door_sync.journal.retention import Keep, Pruned
from door_sync.journal.shrinking import Shrunk
from door_sync.journal.verify import Remark

SHOWN = 40
"""So many findings, and notes, are listed at most; JSON has them all."""

CAN_PROVE = (
    "What this proves: no line was changed, put in, moved or removed since door-sync wrote it, "
    "unless by somebody who may write to the journal as well. It cannot show a dry run that was "
    "removed or added at the very end of a file, a change to lines of earlier versions, or that "
    "the oldest files were thrown away whole."
)

BEWARE = (
    "The doors are not affected. Find out who or what changed the record before you rely on it; "
    "keep copies of the files and of the journal as they are now."
)


def verdict_text(verdict: Verdict) -> str:
    """Return what was checked, what is wrong, and what that proves."""
    audit = verdict.audit
    files = counted(len(audit.files), "file", "files")
    read = f"{files} with {counted(audit.lines, 'line', 'lines')}"
    cycles = f"{counted(audit.cycles, 'line', 'lines')} of cycles"
    if verdict.is_fine:
        lines = [f"Fine: {read} read, and the journal agrees with all {cycles}."]
    else:
        count = len(audit.findings) + len(verdict.database)
        lines = [
            f"Something is wrong: {counted(count, 'finding', 'findings')} in {read}.",
            BEWARE,
        ]
    lines += [f"Journal: SQLite says: {text}" for text in verdict.database[:SHOWN]]
    lines += _listed("Findings:", audit.findings)
    lines += _listed("Notes, no reason to worry:", audit.notes)
    lines += ["", CAN_PROVE]
    return "".join(f"{harmless(line)}\n" for line in lines)


def verdict_json(verdict: Verdict) -> str:
    """Return the same for scripts."""
    audit = verdict.audit
    value = {
        "fine": verdict.is_fine,
        "files": [str(path) for path in audit.files],
        "lines": audit.lines,
        "cycles": audit.cycles,
        "findings": [_remark(one) for one in audit.findings],
        "database": list(verdict.database),
        "notes": [_remark(one) for one in audit.notes],
    }
    return json.dumps(value, indent=2) + "\n"


def pruned_text(pruned: Pruned, keep: Keep, shrunk: Shrunk | None) -> str:
    """Return what was removed; without `shrunk` what would be."""
    verb = "Would remove" if shrunk is None else "Removed"
    parts = [
        (pruned.changes, f"cycle that wrote, with {counted(pruned.steps, 'step', 'steps')}"),
        (pruned.quiet, "quiet cycle"),
        (pruned.holds, "hold"),
        (pruned.cut_offs, "cut-off that was lifted"),
        (pruned.messages, "alert message"),
    ]
    named = [f"{number} × {text}" for number, text in parts if number]
    changes, quiet = keep.changes.days, keep.quiet.days
    lines = [f"{verb} {', '.join(named)}." if named else f"{verb} nothing."]
    lines.append(
        f"Kept are {changes} days of changes and {quiet} days of quiet cycles "
        "(ops.keep_changes_days, ops.keep_quiet_cycles_days), and what is needed to decide."
    )
    match shrunk:
        case Shrunk.DONE:
            lines.append("The journal's file was made smaller.")
        case Shrunk.NO_ROOM:
            lines.append(
                "The journal's file keeps its size: the disk lacks the room to write it anew. The "
                "journal uses the room inside it again."
            )
        case Shrunk.LATER:
            lines.append("The journal's file keeps its size: a cycle is running. Try again later.")
        case Shrunk.NOT_WORTH_IT | None:
            pass
    return "".join(f"{line}\n" for line in lines)


def _listed(title: str, remarks: Sequence[Remark]) -> list[str]:
    if not remarks:
        return []
    lines = ["", title, *(f"  - {_place(one)} {one.text}" for one in remarks[:SHOWN])]
    more = len(remarks) - SHOWN
    return [*lines, f"  … and {more} more; --json lists them all."] if more > 0 else lines


def _place(remark: Remark) -> str:
    return f"{remark.file}, line {remark.line}:" if remark.line else f"{remark.file}:"


def _remark(remark: Remark) -> dict[str, object]:
    return {"file": str(remark.file), "line": remark.line, "text": remark.text}
