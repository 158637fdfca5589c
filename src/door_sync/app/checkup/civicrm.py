"""What CiviCRM says to a checkup: who answers, what the key may do, what the site has."""

import difflib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.app.checkup.clocks import clock_check
from door_sync.app.checkup.configuration import faults_in
from door_sync.app.checkup.membership import membership_checks
from door_sync.civicrm.client import auth_headers
from door_sync.civicrm.examination import Examination, NotAnswered, Questions, examine
from door_sync.civicrm.verdicts import Subject, other_way
from door_sync.http import (
    AuthorityTls,
    HttpClient,
    HttpError,
    PlainHttp,
    Reply,
    UntrustedCertificate,
)
from door_sync.ports import Clock
from door_sync.settings import Civicrm, Secret, TierMapping
from door_sync.settings.known import KnownSettings

PATIENCE_SECONDS: Final = 20.0
"""Whoever looks at a terminal does not wait as long as a cycle does."""

SOON: Final = timedelta(days=14)

_RIGHTS: Final = (
    *(Name.AUTHENTICATE, Name.ACCESS_CIVICRM, Name.VIEW_ALL, Name.ACCESS_MEMBERS),
    Name.CUSTOM_DATA,
)
_CONTENTS: Final = (*(Name.CARD_FIELD, Name.STATUSES, Name.TYPES, Name.JOB, Name.CANARY_CONTACT),)
_ALL: Final = (
    *(Name.CIVICRM, Name.CERTIFICATE, Name.CIVICRM_CLOCK, Name.CIVICRM_KEY),
    *_RIGHTS,
    *_CONTENTS,
)


def civicrm_checks(known: KnownSettings, clock: Clock) -> Iterator[Check]:
    """Yield the checks of CiviCRM, all by one request that reads; raise nothing for what fails."""
    if known.civicrm is None:
        yield from _none(_ALL, faults_in(known, "civicrm"))
    elif known.civicrm_api_key is None:
        yield from _none(_ALL, "CIVICRM_API_KEY is missing or malformed")
    else:
        yield from _asked(known.civicrm, known.civicrm_api_key, known.tier_mapping, clock)


def _asked(
    civicrm: Civicrm, key: Secret, tiers: TierMapping | None, clock: Clock
) -> Iterator[Check]:
    try:
        found, reply = _examined(civicrm, key, clock)
    except UntrustedCertificate as error:
        yield not_asked(Name.CIVICRM, "its certificate is not trusted")
        yield bad(Name.CERTIFICATE, error.message, error.remedy)
        yield from _none(_ALL[2:], "nothing is sent to a host with that certificate")
    except HttpError as error:
        yield bad(Name.CIVICRM, error.message, error.remedy)
        yield from _none(_ALL[1:], "CiviCRM cannot be reached")
    except NotAnswered as failure:
        yield from _not_answered(civicrm, failure, clock)
    else:
        yield good(Name.CIVICRM, f"{civicrm.host} answers")
        yield from _certificate_and_clock(civicrm, reply, clock)
        if found.is_nobody:
            yield _nobody(civicrm)
            yield from _none((*_RIGHTS, *_CONTENTS), "the key does not arrive")
            return
        yield good(Name.CIVICRM_KEY, "CiviCRM knows it")
        yield good(Name.AUTHENTICATE, "the key is let in")
        yield from _rights(found)
        yield _card_field(found, civicrm.card_id_field)
        yield from membership_checks(found, civicrm, tiers, clock)
        yield _canary(found, civicrm)


def _examined(civicrm: Civicrm, key: Secret, clock: Clock) -> tuple[Examination, Reply]:
    today = clock.now().date()
    questions = Questions(
        path=civicrm.path,
        auth=civicrm.auth,
        card_field=civicrm.card_id_field,
        active_statuses=civicrm.active_statuses,
        overdue_before=today - timedelta(days=civicrm.stale_after_days),
        canary=civicrm.canary_contact,
    )
    is_plain = civicrm.host.startswith("http://")
    with HttpClient(
        civicrm.host,
        headers=auth_headers(key.reveal(), civicrm.auth),
        tls=PlainHttp() if is_plain else AuthorityTls(civicrm.ca_file),
        timeout_seconds=min(civicrm.timeout_seconds, PATIENCE_SECONDS),
        clock=clock,
        attempts=1,
        trust_environment_proxies=True,
    ) as client:
        return examine(client, questions)


def _not_answered(civicrm: Civicrm, failure: NotAnswered, clock: Clock) -> Iterator[Check]:
    error = failure.error
    if failure.subject is Subject.ANSWER:
        yield bad(Name.CIVICRM, error.message, error.remedy)
        yield from _certificate_and_clock(civicrm, failure.reply, clock)
        yield from _none(_ALL[3:], "CiviCRM does not answer what is asked")
        return
    yield good(Name.CIVICRM, f"{civicrm.host} answers")
    yield from _certificate_and_clock(civicrm, failure.reply, clock)
    if failure.subject is Subject.KEY:
        yield bad(Name.CIVICRM_KEY, error.message, error.remedy)
        yield from _none((*_RIGHTS, *_CONTENTS), "the key is not accepted")
    else:
        yield good(Name.CIVICRM_KEY, "CiviCRM knows it")
        yield bad(Name.AUTHENTICATE, error.message, error.remedy)
        yield from _none((*_RIGHTS[1:], *_CONTENTS), "the key is not let in")


def _certificate_and_clock(civicrm: Civicrm, reply: Reply, clock: Clock) -> Iterator[Check]:
    now, ends = clock.now(), reply.certificate_ends
    if civicrm.host.startswith("http://"):
        yield not_asked(Name.CERTIFICATE, "civicrm.host is this machine itself, without TLS")
    elif ends is None:
        yield not_asked(Name.CERTIFICATE, "the connection does not tell when it ends")
    else:
        text = f"it is trusted, and good until {ends:%Y-%m-%d}"
        if ends - now < SOON:
            yield warning(
                Name.CERTIFICATE,
                f"{text}: {max((ends - now).days, 0)} more days",
                "Have it renewed. Where that happens by itself, look why it has not yet: without "
                "a certificate no cycle runs.",
            )
        else:
            yield good(Name.CERTIFICATE, text)
    yield clock_check(Name.CIVICRM_CLOCK, "CiviCRM", reply, now)


def _nobody(civicrm: Civicrm) -> Check:
    return bad(
        Name.CIVICRM_KEY,
        "CiviCRM took the request for one of nobody: the key did not arrive",
        "The web server or a proxy may be taking the header with the key away: set "
        f'civicrm.auth = "{other_way(civicrm.auth)}" in config.toml and try again. Check that '
        "the extension AuthX is switched on.",
    )


def _rights(found: Examination) -> Iterator[Check]:
    if not found.may_use_civicrm:
        yield _lacks(
            Name.ACCESS_CIVICRM,
            "the key may not read the fields of contacts or their e-mail addresses",
            "access CiviCRM",
        )
    else:
        yield good(Name.ACCESS_CIVICRM, "the key may read the fields of contacts")
    if found.sees_everybody:
        yield good(Name.VIEW_ALL, "the key sees the contact that it belongs to, so it sees all")
    else:
        yield _lacks(
            Name.VIEW_ALL,
            "the key does not see the contact that it belongs to, so it does not see everybody",
            "view all contacts",
            " A group's ACL is not enough, and the key's contact must not be in the trash.",
        )
    if not found.may_use_civicrm:
        because = 'that cannot be told without the right "access CiviCRM"'
        yield from _none((Name.ACCESS_MEMBERS, Name.CUSTOM_DATA), because)
        return
    if not found.has_memberships:
        yield bad(
            Name.ACCESS_MEMBERS,
            "CiviCRM could not list its membership types",
            "Switch on the component CiviMember (Administer → System Settings → Components).",
        )
    elif not found.may_read_memberships:
        text = "the key may not read memberships"
        yield _lacks(Name.ACCESS_MEMBERS, text, "access CiviMember")
    else:
        yield good(Name.ACCESS_MEMBERS, "the key may read memberships")
    if found.fields:
        yield good(Name.CUSTOM_DATA, "the key may read custom fields")
    else:
        yield _lacks(
            Name.CUSTOM_DATA,
            "the key sees no custom field at all",
            "access all custom data",
            " If it has it, no custom field of contacts is switched on.",
        )


def _lacks(name: Name, text: str, right: str, more: str = "") -> Check:
    return bad(name, text, f'Give the key\'s user the right "{right}".{more}')


def _card_field(found: Examination, field: str) -> Check:
    if not found.is_card_field_there:
        if not found.may_use_civicrm or not found.fields:
            return not_asked(Name.CARD_FIELD, "the key sees no custom field")
        near = difflib.get_close_matches(field, found.fields, 1)
        meant = f"Did you mean {near[0]}? " if near else ""
        return bad(
            Name.CARD_FIELD,
            f"the field {field} does not exist, or is switched off",
            f"{meant}Compare civicrm.card_id_field with CiviCRM: the machine names of group and "
            "field, in exact upper and lower case. Field and group must be switched on, and the "
            "group must not allow several records per contact.",
        )
    if not found.holds_one_number:
        return bad(
            Name.CARD_FIELD,
            f"the field {field} cannot hold one card number",
            "Put the card numbers into a field of one line of text or a whole number, and name "
            "it in civicrm.card_id_field.",
        )
    if found.with_card is None:
        return bad(
            Name.CARD_FIELD,
            f"CiviCRM could not count who has something in the field {field}",
            "The site's administrator finds the cause in CiviCRM's log.",
        )
    if not found.sees_everybody:
        return not_asked(Name.CARD_FIELD, "the key does not see everybody")
    if not found.with_card:
        text = f"{field} is there, but no contact has anything in it"
        return warning(Name.CARD_FIELD, text, "Enter the card numbers in CiviCRM.")
    people = "1 contact has" if found.with_card == 1 else f"{found.with_card} contacts have"
    return good(Name.CARD_FIELD, f"{field} is readable for all; {people} something in it")


def _canary(found: Examination, civicrm: Civicrm) -> Check:
    contact = civicrm.canary_contact
    if contact is None:
        return not_asked(Name.CANARY_CONTACT, "civicrm.canary_contact names none")
    if found.has_canary is None or not found.sees_everybody:
        return not_asked(Name.CANARY_CONTACT, "contacts with a card cannot be read")
    if not found.has_canary:
        return bad(
            Name.CANARY_CONTACT,
            f"contact {contact} is not among those with a card",
            "Set civicrm.canary_contact to one that always is, or fill that contact's card field.",
        )
    return good(Name.CANARY_CONTACT, f"contact {contact} is among those with a card")


def _none(names: tuple[Name, ...], because: str) -> Iterator[Check]:
    yield from (not_asked(name, because) for name in names)
