"""Answers that are no answer: what each kind means, and what to tell the operator.

This file owns that table. The body decides before the status does, because the same trouble comes
with 200, 403 or 500 depending on version and web server (versions sheet §1, §2), and an outage may
come with 200 (CiviCRM sheet §6.3).

Nothing of a body goes into a message but CiviCRM's error id, which is what the site's
administrator can look up (§13.14), and which is taken only from where CiviCRM puts it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from door_sync.civicrm.wire import Auth
from door_sync.http import Reply
from door_sync.ports import SourceDistrusted, SourceError, SourceUnreachable

FORBIDDEN = 403

_ERROR_KEYS = ("error_code", "error_message", "error_id", "is_error")
_ID = r"([A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4})"
_ID_ALONE = re.compile(_ID)
_ID_IN_MESSAGE = re.compile(rf"\(Error ID: {_ID}\)")
_ID_OF_CRASH = re.compile(rf"Critical error\. Please see server logs for errorID:{_ID}")

_UNPARSED = object()


class Subject(Enum):
    """What a verdict on a reply is about."""

    ANSWER = "the answer itself, or the lack of one"
    KEY = "the key, or its way to CiviCRM"
    LOGIN = "a key that is known, whose user may not log in with it"


def reject(reply: Reply, auth: Auth) -> NoReturn:
    """Given a reply that is no answer to what was asked, raise the SourceError that says why.

    `auth` tells which other way to send the key may be worth a try.
    """
    seen = _Seen(reply)
    verdict = _verdict(seen)
    facts = {
        "status": seen.status,
        "id": cited(seen.error_id),
        "other": other_way(auth),
    }
    raise verdict.error(verdict.message.format(**facts), remedy=verdict.remedy.format(**facts))


def subject_of(reply: Reply) -> "Subject":
    """Given a reply that is no answer to what was asked, return what is wrong: for a checkup."""
    return _verdict(_Seen(reply)).subject


def parsed(body: bytes) -> object:
    """Return the JSON of a body, or an object of no JSON type if it is none."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _UNPARSED


def is_error(document: Mapping[str, object]) -> bool:
    """Say whether this is one of CiviCRM's error objects, of whatever version."""
    return any(key in document for key in _ERROR_KEYS)


def inner_status(error: Mapping[str, object]) -> int:
    """Return the status inside an error object, which is right on every server; 500 if none."""
    for key in ("status", "error_code"):
        status = error.get(key)
        if type(status) is int and status >= 400:
            return status
    return 500


def error_id(error: Mapping[str, object]) -> str:
    """Return the id under which CiviCRM's log holds the cause of an error; empty if none."""
    own, message = error.get("error_id"), error.get("error_message")
    found = _ID_ALONE.fullmatch(own) if isinstance(own, str) else None
    if found is None and isinstance(message, str):
        found = _ID_IN_MESSAGE.search(message)
    return found[1] if found else ""


def cited(error_id: str) -> str:
    """Return how a message cites CiviCRM's error id; empty if there is none."""
    return f" (CiviCRM's error id: {error_id})" if error_id else ""


def other_way(auth: Auth) -> Auth:
    """Return the other value of `civicrm.auth`."""
    return "authorization" if auth == "x-civi-auth" else "x-civi-auth"


def _no_constant(_: str) -> NoReturn:
    raise ValueError("JSON has no NaN and no infinity")


class _Seen:
    """What the table below looks at."""

    def __init__(self, reply: Reply) -> None:
        document = parsed(reply.body)
        self.status = reply.status
        self.media_type = reply.media_type
        self.text = reply.body[:4096].decode("ascii", "replace")
        self.object: Mapping[str, object] = document if isinstance(document, dict) else {}
        self.is_json = document is not _UNPARSED
        self.is_error = is_error(self.object)
        self.error_status = inner_status(self.object) if self.is_error else 0

    @property
    def error_id(self) -> str:
        crash = _ID_OF_CRASH.search(self.text)
        return crash[1] if crash else error_id(self.object)


@dataclass(frozen=True, slots=True)
class _Verdict:
    when: Callable[[_Seen], bool]
    error: type[SourceError]
    message: str
    remedy: str
    subject: Subject = Subject.ANSWER


_TRY_OTHER = 'If that is in order, set civicrm.auth = "{other}" in config.toml and try again.'
_LOOK_AT_PATH = (
    "Check civicrm.host and civicrm.path in config.toml, and that CiviCRM is switched on. On "
    'WordPress with plain permalinks the path is "/?civiwp=CiviCRM&q=civicrm/ajax/api4".'
)
_WAIT = "This passes by itself; the next cycle tries again. If it stays, ask the administrator."

# The first row that fits decides. {status}, {id} and {other} are filled in.
_VERDICTS = (
    _Verdict(
        lambda seen: 300 <= seen.status < 400,
        SourceDistrusted,
        "CiviCRM's address answers with a redirect ({status}), which is not followed: the key "
        "goes to the configured address alone",
        "Put the address that the site itself uses into civicrm.host (with or without www., "
        "https). A redirect to a login page means that civicrm.path is wrong.",
    ),
    _Verdict(
        lambda seen: seen.status == 401 and "Invalid credential" in seen.text,
        SourceDistrusted,
        "CiviCRM does not know the API key (401)",
        "Check CIVICRM_API_KEY: it is the API key of a contact in CiviCRM, copied whole and "
        "without blanks.",
        Subject.KEY,
    ),
    _Verdict(
        lambda seen: seen.status == 401 and "Login not permitted" in seen.text,
        SourceDistrusted,
        "CiviCRM knows the API key but does not let it in (401)",
        "The key's contact needs a user account of the website, with the right "
        '"authenticate with api key".',
        Subject.LOGIN,
    ),
    _Verdict(
        lambda seen: seen.status == 401 and "is not allowed for this principal" in seen.text,
        SourceDistrusted,
        "CiviCRM does not accept API keys sent in this way (401)",
        "Allow API keys for headers in CiviCRM's authentication settings (AuthX), or set "
        'civicrm.auth = "{other}" in config.toml.',
        Subject.KEY,
    ),
    _Verdict(
        lambda seen: seen.status == 401,
        SourceDistrusted,
        "the key was refused before CiviCRM looked at it (401)",
        "Look whether the web server asks for a password of its own. " + _TRY_OTHER,
        Subject.KEY,
    ),
    _Verdict(
        lambda seen: seen.error_status == 400,
        SourceDistrusted,
        "CiviCRM saw no API key in the request (400)",
        "Check that the extension AuthX is switched on in CiviCRM, and that no proxy or web "
        "server takes the header with the key away. " + _TRY_OTHER,
        Subject.KEY,
    ),
    _Verdict(
        lambda seen: seen.error_status == 405,
        SourceDistrusted,
        "CiviCRM got the request as a GET although it was sent as a POST (405)",
        "Something between turns requests around, often a redirect: put the address that the "
        "site itself uses into civicrm.host.",
    ),
    _Verdict(
        lambda seen: "status_message" in seen.object and not seen.is_error,
        SourceUnreachable,
        "CiviCRM is in maintenance mode ({status})",
        _WAIT,
    ),
    _Verdict(
        lambda seen: "is_error" in seen.object,
        SourceDistrusted,
        "an older interface of CiviCRM answered, and refused the request",
        "Check CIVICRM_API_KEY. " + _LOOK_AT_PATH,
    ),
    _Verdict(
        lambda seen: seen.error_status == FORBIDDEN,
        SourceDistrusted,
        "CiviCRM refuses the request for want of a right{id}",
        'The key\'s user needs the rights "access CiviCRM", "access CiviMember", "view all '
        'contacts" and "access all custom data". ' + _TRY_OTHER,
        Subject.KEY,
    ),
    _Verdict(
        lambda seen: seen.is_error,
        SourceDistrusted,
        "CiviCRM could not carry out the request{id}",
        "The site's administrator finds the cause under that id in CiviCRM's log.",
    ),
    _Verdict(
        lambda seen: _ID_OF_CRASH.search(seen.text) is not None,
        SourceDistrusted,
        "CiviCRM stopped with a critical error{id}; most often its database is down",
        "The site's administrator finds the cause under that id in CiviCRM's log.",
    ),
    _Verdict(
        lambda seen: seen.status == 503,
        SourceUnreachable,
        "the website is in maintenance, being updated, or overloaded (503)",
        _WAIT,
    ),
    _Verdict(
        lambda seen: seen.status == 429,
        SourceUnreachable,
        "the website asks for fewer requests (429)",
        "Raise cadence_seconds in config.toml, or ask the administrator to let door-sync through.",
    ),
    _Verdict(
        lambda seen: seen.status in (502, 504),
        SourceUnreachable,
        "the web server got no answer from CiviCRM in time ({status})",
        "If it stays, lower civicrm.page_size in config.toml; else ask the administrator.",
    ),
    _Verdict(
        lambda seen: seen.status >= 500,
        SourceUnreachable,
        "the website fails with an error page ({status})",
        "Open the website in a browser: its database may be down. If the website itself works, "
        "lower civicrm.page_size in config.toml: the server may have run out of memory.",
    ),
    _Verdict(
        lambda seen: seen.status == 404,
        SourceDistrusted,
        "there is no CiviCRM at that address (404)",
        _LOOK_AT_PATH,
    ),
    _Verdict(
        lambda seen: seen.status == 403,
        SourceDistrusted,
        "something in front of CiviCRM refuses the request (403)",
        "A firewall or a security extension of the website blocks it: have this machine's "
        "address let through.",
    ),
    _Verdict(
        lambda seen: seen.status >= 400,
        SourceDistrusted,
        "the web server refuses the request ({status})",
        _LOOK_AT_PATH,
    ),
    _Verdict(
        lambda seen: seen.media_type is None,
        SourceDistrusted,
        "CiviCRM's answer has no content type, as when CiviCRM or its database breaks down",
        "Open the website in a browser, and look at CiviCRM's log.",
    ),
    _Verdict(
        lambda seen: seen.media_type in ("text/html", "application/xhtml+xml"),
        SourceDistrusted,
        "a web page came instead of CiviCRM's data",
        _LOOK_AT_PATH + " A login page or a firewall's question looks like this too.",
    ),
    _Verdict(
        lambda seen: seen.media_type != "application/json",
        SourceDistrusted,
        "something else than JSON came instead of CiviCRM's data",
        _LOOK_AT_PATH,
    ),
    _Verdict(
        lambda seen: not seen.is_json,
        SourceDistrusted,
        "CiviCRM's answer says that it is JSON and is not, or is not whole",
        "An extension that prints warnings into answers does this: look at the website's PHP log.",
    ),
    _Verdict(
        lambda _: True,
        SourceDistrusted,
        "what came from CiviCRM's address is JSON, but no answer to what was asked",
        _LOOK_AT_PATH,
    ),
)


def _verdict(seen: _Seen) -> _Verdict:
    return next(row for row in _VERDICTS if row.when(seen))
