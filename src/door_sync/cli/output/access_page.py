"""Who can open what as one page to print and sign: no script, nothing loaded from elsewhere."""

from collections.abc import Iterable, Iterator
from html import escape

from door_sync.app.access import AccessReport, AccessRow
from door_sync.cli.output.access import totals, warnings, ways
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import harmless

STYLE = """
body { font: 10pt/1.35 sans-serif; color: #000; margin: 1.5em; }
h1 { font-size: 16pt; margin: 0 0 .2em; }
h2 { font-size: 12pt; margin: 1.4em 0 .3em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #777; padding: .25em .4em; text-align: left; vertical-align: top; }
th { background: #eee; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
.mind { border: 2px solid #000; padding: .4em .6em; }
.sign td { height: 3em; }
@page { margin: 15mm; }
@media print { body { margin: 0; } }
"""

_HEADING = ("Name", "Contact", "Tier in CiviCRM", "Opens by", "Policies", "Doors", "Remarks", "OK?")
_KIND = {"member": "", "user": "not managed", "visitor": "visitor"}


def access_page(report: AccessReport, site: str) -> str:
    """Return the whole page. `site` says which site it is of."""
    return "\n".join(_page(report, site)) + "\n"


def _page(report: AccessReport, site: str) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield f"<title>Who can open what: {_text(site)}</title><style>{STYLE}</style></head><body>"
    yield "<h1>Who can open what</h1>"
    yield f"<p>{_text(site)}, as the controller's lists were on {_text(local(report.at))}.</p>"
    yield f"<p><strong>{_text(totals(report))}</strong></p>"
    for text in warnings(report):
        yield f'<p class="mind">{_text(text)}</p>'
    yield f"<table><thead>{_row('th', _HEADING)}</thead><tbody>"
    for row in report.rows:
        yield _row("td", _cells(row))
    yield "</tbody></table>"
    yield "<h2>People for each door</h2>"
    yield f"<table><thead>{_row('th', ('Door', 'People'))}</thead><tbody>"
    for door, number in report.doors.items():
        yield _row("td", (door, str(number)))
    yield "</tbody></table>"
    yield (
        "<p>Hours are not looked at: whoever may open a door at some time of the week is listed. "
        "Policies marked (by hand) are named by no tier rule.</p>"
    )
    yield "<h2>Looked through and agreed</h2>"
    yield f'<table class="sign"><thead>{_row("th", ("Name", "Date", "Signature"))}</thead><tbody>'
    yield _row("td", ("", "", "")) * 2
    yield "</tbody></table></body></html>"


def _cells(row: AccessRow) -> tuple[str, ...]:
    contact = _KIND[row.kind] if row.contact_id is None else str(row.contact_id)
    status = row.status if row.kind == "visitor" else row.tier
    remarks = "; ".join(row.remarks)
    doors = ", ".join(row.doors) or "not told"
    return (row.name, contact, status, ways(row), ", ".join(row.policies), doors, remarks, "")


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_text(one)}</{tag}>' for one in cells)}</tr>"


def _text(text: str) -> str:
    return escape(harmless(text), quote=True)
