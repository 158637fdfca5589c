"""Every mutant of a module: one small change each to its syntax tree, as data.

A tree is changed in place and put back, so that a module is parsed once. Left alone are docstrings,
texts for people (those with a blank in them, and all of an f-string), annotations, aliases of
types, imports, and arms that `assert_never` closes.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mutants.operators import Replacement, replacements


@dataclass(frozen=True)
class Edit:
    """One mutant: these fields of this node get other values.

    `line` is where it is seen. `lines` are where a test comes by that could notice. `function` is
    the outermost function that it lies in, as `Class.method`, and None for what runs when the
    module is imported.
    """

    node: ast.AST
    replacement: Replacement
    line: int
    lines: range
    function: str | None

    def apply(self) -> dict[str, object]:
        """Change the tree; return what was there."""
        before = {field: getattr(self.node, field) for field in self.replacement.changes}
        self.undo(self.replacement.changes)
        return before

    def undo(self, values: Mapping[str, object]) -> None:
        """Give the node the values that `apply` returned."""
        for field, value in values.items():
            setattr(self.node, field, value)

    def told(self) -> str:
        """Return the mutant in a line: what stood there, and what stands there now."""
        if self.replacement.at is not None:
            return f"{_source(self.replacement.at)}  →  {self.replacement.instead}"
        before = _source(self.node)
        kept = self.apply()
        after = _source(self.node)
        self.undo(kept)
        return f"{before}  →  {after}"


def _source(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


@dataclass(frozen=True)
class _Place:
    """Where a walk through the tree is."""

    function: str | None = None
    prefix: str = ""
    statement: ast.stmt | None = None


def edits(tree: ast.Module) -> list[Edit]:
    """Return all mutants of a module, in the order of its lines."""
    return list(_within(tree, _Place()))


def _within(node: ast.AST, place: _Place) -> Iterator[Edit]:
    """Give the mutants of a node and of everything below it."""
    if _is_left_alone(node, place):
        return
    if isinstance(node, ast.stmt):
        place = _Place(place.function, place.prefix, node)
    for replacement in replacements(node, place.function is None):
        yield _edit(node, replacement, place)
    for field, child in _children(node):
        inner = _place_of(node, field, place)
        for one in child if isinstance(child, list) else [child]:
            if isinstance(one, ast.AST):
                yield from _within(one, inner)


def _children(node: ast.AST) -> Iterator[tuple[str, object]]:
    for field, child in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_comment", "ctx"):
            continue
        if isinstance(node, ast.JoinedStr) and isinstance(child, list):
            # The words are for people; what is put between them is not.
            yield field, [one for one in child if isinstance(one, ast.FormattedValue)]
        elif isinstance(node, ast.FormattedValue) and field == "format_spec":
            continue
        else:
            yield field, child


def _place_of(node: ast.AST, field: str, place: _Place) -> _Place:
    """Return the place of a child: decorators and defaults run where the function is made."""
    if field != "body" or place.function is not None:
        return place
    if isinstance(node, ast.FunctionDef):
        return _Place(place.prefix + node.name, "", place.statement)
    if isinstance(node, ast.ClassDef):
        return _Place(None, f"{place.prefix}{node.name}.", place.statement)
    return place


def _is_left_alone(node: ast.AST, place: _Place) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Constant(value=str(text)):
            return " " in text
        case ast.keyword(value=ast.Constant(value=bool())):
            return place.function is None  # leaving it out is the same
        case ast.Assign(value=ast.BinOp(op=ast.BitOr()) | ast.Subscript()):
            return place.function is None  # an alias of types
        case ast.Assign(value=ast.Call(func=ast.Name(id="NewType" | "TypeVar"))):
            return True
        case ast.match_case() | ast.Expr() if _is_closed(node):
            return True
        case _:
            return False


def _is_closed(node: ast.AST) -> bool:
    """Say whether only mypy comes by here."""
    if isinstance(node, ast.match_case):
        return all(_is_closed(one) for one in node.body)
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "assert_never"
    )


def _edit(node: ast.AST, replacement: Replacement, place: _Place) -> Edit:
    seen = node if replacement.at is None else replacement.at
    if isinstance(seen, ast.stmt):
        inner = _place_of(node, next(iter(replacement.changes)), place)
        place = _Place(inner.function, inner.prefix, seen)
    first, last = _lines(seen)
    statement = place.statement
    lines = range(first, last + 1) if statement is None else _header(statement, first, last)
    return Edit(node, replacement, first, lines, place.function)


def _lines(node: ast.AST) -> tuple[int, int]:
    """Return where a node begins and ends; some say it only by what is in them."""
    below = [one for one in ast.walk(node) if isinstance(one, ast.expr | ast.stmt | ast.pattern)]
    return (
        min((one.lineno for one in below), default=1),
        max((one.end_lineno or one.lineno for one in below), default=1),
    )


def _header(statement: ast.stmt, first: int, last: int) -> range:
    """Return the lines of a statement without the statements in it, and those of the node."""
    body: Sequence[ast.stmt] = getattr(statement, "body", ())
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(min(statement.lineno, first), max(end, last, statement.lineno) + 1)
