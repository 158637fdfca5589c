"""Each operator changes what it should, and what is for people alone is left alone."""

import ast

import pytest

from mutants.edits import Edit, edits


def mutants(source: str) -> list[str]:
    """Every program that this one becomes, in one line each."""
    tree = ast.parse(source)
    found = []
    for edit in edits(tree):
        kept = edit.apply()
        found.append(ast.unparse(ast.fix_missing_locations(tree)).replace("\n    ", " "))
        edit.undo(kept)
    assert ast.unparse(tree) == ast.unparse(ast.parse(source)), "each was put back"
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a is None", {"a is not None"}),
        ("a not in b", {"a in b"}),
        ("a and b", {"a or b", "a", "b"}),
        ("not a", {"not not a"}),
        ("a + b", {"a - b"}),
        ("a | b", {"a & b"}),
        ("x = True", {"x = False"}),
        ("x = 3", {"x = 4"}),
        ("x = 'word'", {"x = 'XXwordXX'"}),
        ("f(a, b)", {"f(b, a)"}),
        ("f(a, k=v)", {"f(a)"}),
        ("sorted(a, key=k)", {"list(a)", "sorted(a)"}),
        ("any(a)", {"all(a)"}),
        ("x = {a: b, c: d}", {"x = {c: d}", "x = {a: b}"}),
        ("x = {a, b}", {"x = {a}", "x = {b}"}),
        ("x = (a, b)", {"x = (a,)", "x = (b,)"}),
        ("x = b if a else c", {"x = b if not a else c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b]"}),
    ],
)
def test_each_operator(source: str, expected: set[str]) -> None:
    """A call that stands alone can be left out as well."""
    found = set(mutants(source))
    assert found - {"pass", ""} == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a", {"return None"}),
        ("return False", {"return True"}),
        ("return ()", set()),
        ("raise E", {"pass"}),
        ("yield a", {"pass"}),
        ("x += a", {"x -= a", "pass"}),
        ("return (a, b)", {"return None"}),
    ],
)
def test_statements_of_a_function(body: str, expected: set[str]) -> None:
    assert {one.removeprefix("def f(): ") for one in mutants(f"def f():\n    {body}")} == expected


def test_jumps_are_turned_around() -> None:
    assert mutants("for a in b:\n    continue") == ["for a in b: break"]
    assert mutants("for a in b:\n    break") == ["for a in b: continue"]


def test_an_arm_can_be_left_out_and_its_guard_too_but_not_the_one_that_mypy_closes() -> None:
    source = """
match a:
    case B() if c:
        f()
    case _:
        assert_never(a)
"""
    told = sorted(one.told() for one in edits(ast.parse(source)))
    assert told == [
        "B()  →  no such arm",
        "c  →  its negation",
        "c  →  nothing",
        "f()  →  pass",
    ]


@pytest.mark.parametrize(
    "source",
    [
        '"""What this is for."""',
        "x = 'words for people'",
        "x = f'{a} people'",
        "import a",
        "Kind = A | B",
        "Held = frozenset[A]",
        "Name = NewType('Name', str)",
        "x: Final = a",
        "isinstance(a, B)[c]",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert set(mutants(source)) <= {"", "pass"}


def test_decorators_and_defaults_run_at_import_and_a_body_does_not() -> None:
    source = """
@dataclass(frozen=True)
class A:
    b: int = 1

    @property
    def c(self, d=2):
        return self.b
"""
    by_told = {one.told(): one.function for one in edits(ast.parse(source))}
    assert by_told == {
        "dataclass(frozen=True)  →  nothing": None,
        "frozen=True  →  nothing": None,
        "1  →  2": None,
        "property  →  nothing": None,
        "2  →  3": None,
        "return self.b  →  return None": "A.c",
    }


def test_a_mutant_knows_the_lines_by_which_a_test_must_come() -> None:
    source = "def f():\n    if (\n        a\n        and b\n    ):\n        return 1\n"

    def lines(wanted: str) -> list[Edit]:
        return [one for one in edits(ast.parse(source)) if one.told().startswith(wanted)]

    assert {one.lines for one in lines("a and b")} == {range(2, 6)}
    assert [(one.line, one.lines) for one in lines("return 1")] == [(6, range(6, 7))]
