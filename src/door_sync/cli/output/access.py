"""Who can open what as text, CSV and JSON, with names (§8)."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator

from door_sync.app.access import AccessReport, AccessRow
from door_sync.app.sentences import sentence
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import counted, harmless

KINDS = {
    "member": ("member", "members"),
    "user": ("user that door-sync does not manage", "users that door-sync does not manage"),
    "visitor": ("visitor", "visitors"),
}
"""What each kind of person is called, alone and several."""

COLUMNS = (
    "kind",
    "name",
    "contact",
    "tier",
    "status",
    "cards",
    "other ways",
    "policies",
    "doors",
    "remarks",
    "id",
)

_FORMULA = ("=", "+", "-", "@")
"""With these a spreadsheet takes a cell for a formula, whatever stands before it is trimmed."""


def totals(report: AccessReport) -> str:
    """Return how many people can open something, by kind."""
    count = Counter(row.kind for row in report.rows)
    parts = [counted(count[kind], *names) for kind, names in KINDS.items() if count[kind]]
    people = counted(len(report.rows), "person", "people")
    more = f"{counted(report.shut, 'more user', 'more users')} can open nothing"
    if report.to_come:
        more += f", and {counted(report.to_come, 'visit', 'visits')} have not begun"
    return f"{people} can open something: {', '.join(parts) or 'nobody'}; {more}."


def warnings(report: AccessReport) -> Iterator[str]:
    """Return what is missing in the report, in sentences."""
    if report.error is not None:
        yield (
            "What CiviCRM says is missing, because the two could not be put side by side: "
            f"{sentence(report.error.message)} {sentence(report.error.remedy)}".strip()
        )
    yield from report.gaps


def ways(row: AccessRow) -> str:
    """Return by what somebody opens doors."""
    cards = counted(row.cards, "card", "cards") if row.cards else ""
    return ", ".join(part for part in (cards, *row.other_ways) if part)


def access_text(report: AccessReport) -> str:
    """Return the report for a terminal."""
    lines = [totals(report), *(f"Mind: {text}" for text in warnings(report))]
    for kind, (_, several) in KINDS.items():
        rows = [row for row in report.rows if row.kind == kind]
        if rows:
            lines += ["", f"{several[0].upper()}{several[1:]}:"]
        for row in rows:
            lines += _lines(row)
    if report.doors:
        lines += ["", "People for each door:"]
        lines += [f"  {number:5}  {door}" for door, number in report.doors.items()]
    lines += ["", f"As the controller's lists were on {local(report.at)}. Hours are not looked at."]
    return "".join(f"{harmless(line)}\n" for line in lines)


def _lines(row: AccessRow) -> Iterator[str]:
    who = row.name or "without a name"
    said = [f"contact {row.contact_id}", row.tier] if row.contact_id is not None else [row.status]
    yield f"  - {who} ({', '.join(said)}): {', '.join(row.doors) or 'doors not told'}"
    yield f"      {ways(row)}; {', '.join(row.policies) or 'no policy'}"
    for remark in row.remarks:
        yield f"      ! {remark}"


def access_csv(report: AccessReport) -> str:
    """Return a table with a heading; no cell is a formula for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow([cell(text) for text in cells(row)])
    return out.getvalue()


def cells(row: AccessRow) -> tuple[str, ...]:
    """Return a row's cells in the order of COLUMNS."""
    return (
        row.kind,
        row.name,
        "" if row.contact_id is None else str(row.contact_id),
        row.tier,
        row.status,
        str(row.cards),
        ", ".join(row.other_ways),
        ", ".join(row.policies),
        ", ".join(row.doors),
        "; ".join(row.remarks),
        row.id,
    )


def cell(text: str) -> str:
    """Return a text on one line that no spreadsheet computes: a formula gets a ' before it."""
    clean = harmless(text)
    return f"'{clean}" if clean.lstrip().startswith(_FORMULA) else clean


def access_json(report: AccessReport) -> str:
    """Return the report for scripts."""
    content = {
        "at": report.at.isoformat(timespec="seconds"),
        "people": [
            {
                "kind": row.kind,
                "id": row.id,
                "name": row.name,
                "status": row.status,
                "contact": row.contact_id,
                "tier": row.tier,
                "cards": row.cards,
                "other_ways": [*row.other_ways],
                "policies": [*row.policies],
                "doors": [*row.doors],
                "remarks": [*row.remarks],
            }
            for row in report.rows
        ],
        "doors": dict(report.doors),
        "shut": report.shut,
        "to_come": report.to_come,
        "missing": [*warnings(report)],
    }
    return json.dumps(content, indent=2) + "\n"
