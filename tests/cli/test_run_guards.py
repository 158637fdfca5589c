"""Every guard of §6 through the command line, under both settings of `safety.scope`.

Somebody's news that no guard counts stands beside what a guard holds: whether it is carried out
tells a hold of one class from a hold of the cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from door_sync.simulators.faults import Answer
from tests.cli.conftest import Ran, Site

MEMBERS = 10
STRICT = 0.15
"""Of ten people one may, two may not; in 24 hours three may, four may not."""


class Scene:
    """Ten members in step, cards 1001 to 1010; the last is the bystander of most stories."""

    def __init__(self, site: Site) -> None:
        self.site, self.club = site, site.club
        self.people = [self.club.join(1001 + number) for number in range(MEMBERS)]
        self.bystander = self.people[-1]
        self.lapsed: list[int] = []

    def settle(self) -> None:
        """Run a cycle before which every budget is wide open."""
        self.site.settle()

    def run(self, scope: str, *words: str, **settings: object) -> Ran:
        """Run a command under strict budgets."""
        strict: dict[str, object] = {
            f"safety__mass_{kind}_pct": STRICT
            for kind in ("deactivate", "add", "policy", "card", "profile")
        }
        self.site.configure(
            **{**strict, "safety__small_site_max": 0, "safety__scope": scope, **settings}
        )
        return self.site.run(*words)


def leave(scene: Scene, count: int, start: int = 0) -> None:
    for contact in scene.people[start : start + count]:
        scene.club.lapse(contact)


def join(scene: Scene, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        scene.club.join(2001 + number)


def come_back(scene: Scene, count: int, start: int = 0) -> None:
    for contact in scene.lapsed[start : start + count]:
        scene.club.rejoin(contact)


def change_tier(scene: Scene, count: int, start: int = 0) -> None:
    for contact in scene.people[start : start + count]:
        scene.club.retier(contact, "Silver")


def change_card(scene: Scene, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        scene.club.civicrm.world.set_card(scene.people[number], 3001 + number)


def marry(scene: Scene, count: int, start: int = 0) -> None:
    for contact in scene.people[start : start + count]:
        scene.club.civicrm.world.set_name(contact, last_name="Newname")


@dataclass(frozen=True)
class Counting:
    """A guard that counts: what people do, what it would mean, and the setting that governs it.

    `adds` is by how many each of them changes the number of active people.
    """

    guard: str
    act: Callable[[Scene, int, int], None]
    would: str
    setting: str
    adds: int = 0
    holds_cycle: bool = False


COUNTING = [
    Counting(
        "mass deactivation",
        leave,
        "lose their access",
        "safety.mass_deactivate_pct",
        adds=-1,
        holds_cycle=True,
    ),
    Counting("mass addition", join, "gain access", "safety.mass_add_pct", adds=1),
    Counting("mass addition", come_back, "gain access", "safety.mass_add_pct", adds=1),
    Counting("mass policy change", change_tier, "get another policy", "safety.mass_policy_pct"),
    Counting("mass card change", change_card, "get another card", "safety.mass_card_pct"),
    Counting(
        "mass profile change", marry, "get another name or address", "safety.mass_profile_pct"
    ),
]
EACH_COUNTING = pytest.mark.parametrize("one", COUNTING, ids=[c.act.__name__ for c in COUNTING])
EACH_SCOPE = pytest.mark.parametrize("scope", ["class", "cycle"])


@pytest.fixture
def scene(site: Site, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A club in step, whose days pass by the tests' clock."""
    monkeypatch.setattr("door_sync.app.bootstrap.SystemClock", lambda: site.club.clock)
    scene = Scene(site)
    scene.settle()
    return scene


def ready_for(scene: Scene, one: Counting) -> None:
    """Let those who are to come back have left, so long ago that it does not count."""
    if one.act is come_back:
        scene.lapsed = [scene.club.join(4001 + number) for number in range(6)]
        scene.settle()
        for contact in scene.lapsed:
            scene.club.lapse(contact)
        scene.settle()
        scene.club.clock.ahead = timedelta(days=2)


def something_else(scene: Scene, one: Counting) -> None:
    """Let something happen that this guard does not count."""
    if one.act is leave:
        scene.club.retier(scene.bystander, "Silver")
    else:
        scene.club.lapse(scene.bystander)


def told(ran: Ran, guard: str, text: str, settles: Sequence[str]) -> None:
    """The report names the guard with its numbers, and what settles it below."""
    lines = ran.out.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith(f"Guard '{guard}'")]
    assert lines[at] == f"Guard '{guard}': {text}."
    assert lines[at + 1].startswith("  What settles it: ")
    for words in settles:
        assert words in lines[at + 1]


def carried_out(site: Site) -> list[tuple[int, str]]:
    """Return whose change of which class the audit line calls done."""
    line = site.audit_line()
    assert line["event"] == "halted"
    assert {change["outcome"] for change in line["changes"]} <= {"done"}
    return [(change["contact"], change["class"]) for change in line["changes"]]


def held_as_it_should(scene: Scene, one: Counting, scope: str, guard: str) -> None:
    """What the guard counts did not happen; the bystander's news did if one class is held."""
    everything = one.holds_cycle or scope == "cycle"
    expected = [] if everything else [(scene.bystander, "revoke")]
    assert carried_out(scene.site) == expected
    assert (scene.club.writes() == 0) is everything
    assert scene.club.opens(1000 + MEMBERS) is everything
    assert f"Guard '{guard}': " in scene.site.flag.read_text()
    assert scene.site.last_event() == "halted"


@EACH_SCOPE
@EACH_COUNTING
def test_too_many_at_once_are_held(scene: Scene, one: Counting, scope: str) -> None:
    ready_for(scene, one)
    one.act(scene, 2, 0)
    something_else(scene, one)
    ran = scene.run(scope, "run", "--once")
    assert ran.code == 1
    numbers = f"2 of {MEMBERS} active people would {one.would}, which is more than 15%"
    told(ran, one.guard, numbers, [one.setting])
    held_as_it_should(scene, one, scope, one.guard)


@EACH_SCOPE
@EACH_COUNTING
def test_too_many_in_a_day_are_held_although_few_at_once(
    scene: Scene, one: Counting, scope: str
) -> None:
    ready_for(scene, one)
    one.act(scene, 3, 0)
    scene.settle()
    active = MEMBERS + one.adds * 3
    one.act(scene, 1, 3)
    something_else(scene, one)
    ran = scene.run(scope, "run", "--once")
    assert ran.code == 1
    guard = f"{one.guard} in 24 hours"
    numbers = f"4 of {active} active people would {one.would} in 24 hours, which is more than 30%"
    told(ran, guard, numbers, [one.setting])
    held_as_it_should(scene, one, scope, guard)


@EACH_SCOPE
@EACH_COUNTING
def test_as_many_as_may_go_on(scene: Scene, one: Counting, scope: str) -> None:
    ready_for(scene, one)
    one.act(scene, 1, 0)
    ran = scene.run(scope, "run", "--once")
    assert ran.code == 0, ran.out
    assert scene.club.writes() > 0
    assert len(scene.site.audit_line()["changes"]) == 1


@EACH_SCOPE
def test_at_a_small_site_a_few_leavers_are_held(scene: Scene, scope: str) -> None:
    leave(scene, 2)
    ran = scene.run(
        scope, "run", "--once", safety__baseline_floor=MEMBERS + 1, safety__small_site_max=1
    )
    assert ran.code == 1
    told(
        ran,
        "mass deactivation",
        f"2 of {MEMBERS} active people would lose their access, which is more than 1 at a small "
        "site",
        ["safety.small_site_max"],
    )
    assert (scene.club.writes(), carried_out(scene.site)) == (0, [])


# Guards that doubt what was read hold the cycle under either scope.


def nobody_is_entitled(scene: Scene) -> None:
    for contact in scene.people:
        scene.club.lapse(contact)


def some_vanish(scene: Scene) -> None:
    for contact in scene.people[:2]:
        scene.club.civicrm.world.delete(contact)


def cards_are_cleared(scene: Scene) -> None:
    for contact in scene.lapsed:
        scene.club.civicrm.world.clear_card(contact)


def users_are_gone(scene: Scene) -> None:
    for user in [user.id for user in scene.club.unifi.world.users if user.first_name == "Made"]:
        scene.club.unifi.world.delete_user(user)


def a_policy_has_a_namesake(scene: Scene) -> None:
    scene.club.unifi.world.add_policy("Silver hours", [scene.club.workshop])


@dataclass(frozen=True)
class Doubting:
    """A guard that doubts: what happened, its numbers in words, and what settles it."""

    guard: str
    happens: Callable[[Scene], None]
    text: str
    settles: tuple[str, ...]


DOUBTING = [
    Doubting(
        "empty source",
        nobody_is_entitled,
        "CiviCRM gives nobody access while 10 people in the controller have it",
        ("civicrm.active_statuses", "tier_mapping.rules"),
    ),
    Doubting(
        "people vanished",
        some_vanish,
        "CiviCRM did not return 2 of the people that the controller knows; one in a hundred may be "
        "missing at once",
        ("whether the key may still view all contacts",),
    ),
    Doubting(
        "shrunken source",
        cards_are_cleared,
        "CiviCRM shows 10 contacts with a card, the last good cycle saw 14",
        ("safety.min_read_pct",),
    ),
    Doubting(
        "shrunken controller",
        users_are_gone,
        "The controller shows 11 users, the last good cycle saw 15",
        ("safety.min_read_pct",),
    ),
    Doubting(
        "unknown policy",
        a_policy_has_a_namesake,
        "The controller has no single policy that is the target of the rule 'Silver'",
        ("tier_mapping.rules.Silver.target_policy",),
    ),
]


@EACH_SCOPE
@pytest.mark.parametrize("one", DOUBTING, ids=[one.guard for one in DOUBTING])
def test_a_doubt_about_what_was_read_holds_everything(
    scene: Scene, one: Doubting, scope: str
) -> None:
    scene.lapsed = [scene.club.join(4001 + number, status="Expired") for number in range(4)]
    for _ in range(4):
        scene.club.add_user("")
    scene.settle()
    scene.club.lapse(scene.bystander)
    one.happens(scene)
    ran = scene.run(scope, "run", "--once")
    assert ran.code == 1
    told(ran, one.guard, one.text, one.settles)
    assert (scene.club.writes(), carried_out(scene.site)) == (0, [])
    assert scene.club.opens(1000 + MEMBERS)
    assert f"Guard '{one.guard}': " in scene.site.flag.read_text()


# Records that nobody can judge cost their own person, or hold the cycle.


def a_type_without_a_rule(scene: Scene) -> int:
    scene.club.retier(scene.people[0], "Mystery")
    return scene.people[0]


def a_malformed_number(scene: Scene) -> int:
    scene.club.civicrm.world.set_card(scene.people[0], "12x")
    return scene.people[0]


def a_number_twice(scene: Scene) -> int:
    scene.club.civicrm.world.set_card(scene.people[0], 1002)
    return scene.people[0]


RECORDS = [
    ("unmapped type", a_type_without_a_rule, "an active membership of a type that has no rule"),
    ("bad card", a_malformed_number, "a card field that holds no card number"),
    ("duplicate card", a_number_twice, "a card number that somebody else has too"),
]
EACH_RECORD = pytest.mark.parametrize(
    ("guard", "happens", "what"), RECORDS, ids=[row[0] for row in RECORDS]
)


@EACH_SCOPE
@EACH_RECORD
def test_with_quarantine_a_bad_record_costs_its_own_person_alone(
    scene: Scene, guard: str, happens: Callable[[Scene], int], what: str, scope: str
) -> None:
    concerned = happens(scene)
    scene.club.lapse(scene.bystander)
    ran = scene.run(scope, "run", "--once", safety__on_bad_record="quarantine")
    assert ran.code == 0, ran.out
    assert scene.site.audit_line()["changes"] == [
        {"contact": scene.bystander, "class": "revoke", "outcome": "done"}
    ]
    assert scene.club.opens(1001), "what they had, they have"
    assert not scene.club.opens(1000 + MEMBERS)
    assert f"contact {concerned}: " in ran.out
    assert f"Guard '{guard}'" not in ran.out


@EACH_SCOPE
@EACH_RECORD
def test_with_halt_a_bad_record_holds_everything(
    scene: Scene, guard: str, happens: Callable[[Scene], int], what: str, scope: str
) -> None:
    happens(scene)
    scene.club.lapse(scene.bystander)
    ran = scene.run(scope, "run", "--once", safety__on_bad_record="halt")
    assert ran.code == 1
    people = scene.people[:2] if guard == "duplicate card" else scene.people[:1]
    have = "1 contact has" if len(people) == 1 else f"{len(people)} contacts have"
    told(
        ran,
        guard,
        f"{have} {what}: {', '.join(map(str, people))}",
        ['safety.on_bad_record = "quarantine"'],
    )
    assert (scene.club.writes(), carried_out(scene.site)) == (0, [])
    assert scene.club.opens(1000 + MEMBERS)


@EACH_SCOPE
def test_all_guards_that_fire_are_told_at_once(scene: Scene, scope: str) -> None:
    join(scene, 2)
    marry(scene, 2)
    a_policy_has_a_namesake(scene)
    ran = scene.run(scope, "run", "--once")
    assert ran.code == 1
    found = [line.split("'")[1] for line in ran.out.splitlines() if line.startswith("Guard '")]
    assert found == ["mass addition", "mass profile change", "unknown policy"]
    assert scene.club.writes() == 0


def test_who_is_cut_off_waits_for_no_plan_that_is_held(site: Site) -> None:
    """The controller was down when somebody was cut off, and then a guard holds the whole cycle:
    what a person asked for by hand is done all the same, and the others keep their access."""
    people = [site.club.join(number) for number in range(1101, 1106)]
    site.settle()
    site.configure(safety__small_site_max=3)
    for contact in people[:4]:
        site.club.lapse(contact)
    site.club.unifi.faults.add(Answer(503), times=None)
    assert site.run("revoke", str(people[4])).code == 2
    site.club.unifi.faults.clear()
    planned = site.run("plan")
    assert planned.code == 1
    assert "A live cycle would do the rest: 1 person loses access." in planned.out
    ran = site.run("run", "--once")
    assert ran.code == 1
    assert ran.out.startswith(
        "Held: a person must look first, at all but what a person asked for.\n"
        "The rest is done: 1 person lost access.\n"
    )
    assert not site.club.opens(1105)
    assert all(site.club.opens(number) for number in range(1101, 1105))
