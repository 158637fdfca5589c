"""The shapes of the controller's replies (UniFi sheet §5, §6.0, §8.0, §10.2), checked strictly.

Any optional field may be missing or null; unknown fields are ignored; a value of another type
than the reference's is not guessed at. Nothing here knows what the fields mean.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from door_sync.ports import ControllerDistrusted

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_Item = TypeVar("_Item")


def _null_as(empty: Callable[[], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: empty() if value is None else value)


def _object_or_none(value: object) -> object:
    return value if isinstance(value, dict) else None


# Ids stand in paths and in messages, so nothing else than an id may pass for one.
_Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
_OptionalId = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:-]{0,127})?$"), _null_as(str)
]
_Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,256}$")]
_OptionalToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{0,256}$"), _null_as(str)]
_Text = Annotated[str, _null_as(str)]
_List = Annotated[list[_Item], _null_as(list)]


class Shape(BaseModel):
    """Part of a reply."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class Pagination(Shape):
    """Beside a paged list. Its page_size is not what was asked for, so it is not read (§4)."""

    total: int = Field(ge=0, le=0xFFFFFFFF)


class BoundCard(Shape):
    """An entry of `nfc_cards` on a user or visitor."""

    token: _Token


class NamedId(Shape):
    """An access policy, in a list of its own or inside a user."""

    id: _Id
    name: _Text = ""


class UserShape(Shape):
    """A user (§6.0). `access_policies` comes only with `expand[]=access_policy`."""

    id: _Id
    first_name: _Text = ""
    last_name: _Text = ""
    user_email: _Text = ""
    email: _Text = ""
    employee_number: _Text = ""
    status: _Text = ""
    nfc_cards: _List[BoundCard] = []
    access_policy_ids: list[_Id] | None = None
    access_policies: _List[NamedId] = []


class VisitorShape(Shape):
    """A visitor (§8.0)."""

    id: _Id
    status: _Text = ""
    nfc_cards: _List[BoundCard] = []


class PlaceShape(Shape):
    """A door or a door group that a policy or a visit covers; `type` says which (§9.1)."""

    id: _Id
    type: _Text = ""
    name: _Text = ""


class PolicyShape(NamedId):
    """An access policy with its places (§9.1)."""

    resources: _List[PlaceShape] = []


class DoorGroupShape(NamedId):
    """A group of doors (§11)."""

    resources: _List[PlaceShape] = []


class VisitShape(VisitorShape):
    """A visit with its places (§8.0)."""

    first_name: _Text = ""
    last_name: _Text = ""
    resources: _List[PlaceShape] = []


class WaysShape(Shape):
    """What somebody opens doors by besides cards (§6.0, §8.0): an object, a list, null, nothing."""

    pin_code: object = None
    touch_pass: object = None
    license_plates: object = None


class CardStatusShape(Shape):
    """How a card's row says that it stands (§10.2)."""

    token: _Token
    status: _Text = ""


class HolderShape(Shape):
    """Who holds a card, inside its row (§10.2)."""

    id: _OptionalId = ""


class CardShape(Shape):
    """A card (§10.2). On a free one `user` may be missing, null or empty in any way."""

    token: _Token
    alias: _Text = ""
    nfc_id: _Text = ""
    status: _Text = ""
    user_id: _OptionalId = ""
    user_type: _Text = ""
    user: Annotated[HolderShape | None, BeforeValidator(_object_or_none)] = None


class CreatedShape(Shape):
    """What a create answers (§6.1)."""

    id: _Id


class ImportedShape(Shape):
    """A row of an import's answer (§10.4). An empty token is a row that failed."""

    nfc_id: _Text = ""
    token: _OptionalToken = ""


class ActorShape(Shape):
    """Who did something, in the system log (§13)."""

    id: _Text = ""


class LoginShape(Shape):
    """With what, in the system log; `issuer` may be a raw card id (§10.5)."""

    issuer: _Text = ""


class EventShape(Shape):
    """What came of it: `ACCESS` or `BLOCKED`."""

    result: _Text = ""


class TargetShape(Shape):
    """A door, or on newer firmware a card, that an entry is about."""

    type: _Text = ""
    id: _Text = ""
    display_name: _Text = ""


class SourceShape(Shape):
    """The inside of an entry of the system log."""

    actor: ActorShape | None = None
    authentication: LoginShape | None = None
    event: EventShape = EventShape()
    target: _List[TargetShape] = []


class EntryShape(Shape):
    """An entry of the system log (§13)."""

    timestamp: str = Field(alias="@timestamp")
    source: SourceShape = Field(alias="_source")


_AnyShape = TypeVar("_AnyShape", bound=Shape)


def shaped(shape: type[_AnyShape], raw: object, where: str) -> _AnyShape:
    """Given a piece of a reply, return it as `shape`.

    Raise ControllerDistrusted, which names the place, the row's id and the field, never a value.
    """
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        problem = first["type"]
    # Raised out here, so that no value hangs behind it as the exception's context (P12).
    raise ControllerDistrusted(f"{where}{_row_name(raw)}: {field} is malformed ({problem})")


def _row_name(raw: object) -> str:
    """Return the id of a user, visitor or policy row for a message, if it surely is one."""
    row_id = raw.get("id") if isinstance(raw, dict) else None
    return f", id {row_id}" if isinstance(row_id, str) and _UUID.fullmatch(row_id) else ""
