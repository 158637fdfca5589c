"""What may be changed: for each kind of node, the values that one of its fields can get instead.

The operators are the usual ones, and a few for what this core lives by: orders (`sorted`), sets and
tables (an element left out), arms of `match`, and the keywords of dataclasses.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Replacement:
    """New values for fields of a node. `at` is the part of it that is meant, where it is one part;
    then `instead` says in words what stands there now."""

    operator: str
    changes: Mapping[str, object]
    at: ast.AST | None = None
    instead: str = "nothing"


COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
CALLED = {"sorted": "list", "min": "max", "max": "min", "any": "all", "all": "any"}


def replacements(node: ast.AST, at_import: bool) -> Iterator[Replacement]:
    """Given a node, and whether it runs when its module is imported, give what it can become."""
    match node:
        case ast.Compare(ops=ops):
            yield from _compared(ops)
        case ast.BoolOp(op=op, values=values):
            yield Replacement("and, or", {"op": ast.Or() if isinstance(op, ast.And) else ast.And()})
            yield from _one_less(values, "values")
        case ast.UnaryOp(op=ast.Not()):
            yield Replacement("not", {"operand": ast.UnaryOp(ast.Not(), node.operand)})
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in COMPUTED:
            yield Replacement("arithmetic", {"op": COMPUTED[type(op)]()})
        case ast.Constant(value=value):
            yield from _other_constant(value)
        case ast.Call():
            yield from _called(node)
        case ast.Dict():
            yield from _without_entry(node)
        case ast.Set(elts=elements) | ast.List(elts=elements):
            yield from _one_less(elements, "elts", 0)
        case ast.Tuple(elts=elements) if at_import:
            yield from _one_less(elements, "elts", 0)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from _negated(test, "test")
        case ast.comprehension(ifs=ifs):
            yield from _one_less(ifs, "ifs", 0)
        case ast.match_case():
            yield from _arm(node)
        case ast.Lambda() | ast.Return():
            yield from _returned(node)
    yield from _statements(node)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield from _one_less(node.decorator_list, "decorator_list", 0)


def _compared(ops: Sequence[ast.cmpop]) -> Iterator[Replacement]:
    for index, op in enumerate(ops):
        for other in COMPARED[type(op)]:
            changed = [*ops[:index], other(), *ops[index + 1 :]]
            yield Replacement("comparison", {"ops": changed})


def _one_less(some: Sequence[ast.AST], field: str, at_least: int = 1) -> Iterator[Replacement]:
    if len(some) > at_least:
        for index, one in enumerate(some):
            left = [*some[:index], *some[index + 1 :]]
            yield Replacement("left out", {field: left}, one)


def _other_constant(value: object) -> Iterator[Replacement]:
    match value:
        case bool():
            yield Replacement("constant", {"value": not value})
        case int() | float():
            yield Replacement("constant", {"value": value + 1})
        case str():
            yield Replacement("constant", {"value": f"XX{value}XX"})
        case bytes():
            yield Replacement("constant", {"value": b"XX" + value})


def _called(node: ast.Call) -> Iterator[Replacement]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "isinstance":
        return  # whatever is done to it ends in a TypeError
    if name in CALLED:
        called: dict[str, object] = {"func": ast.Name(CALLED[name], ast.Load())}
        if name == "sorted":
            called["keywords"] = []
        yield Replacement("other function", called)
    for index, (one, two) in enumerate(pairwise(node.args)):
        if not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred):
            swapped = [*node.args[:index], two, one, *node.args[index + 2 :]]
            yield Replacement("swapped", {"args": swapped})
    yield from _one_less(node.keywords, "keywords", 0)


def _without_entry(node: ast.Dict) -> Iterator[Replacement]:
    for index, key in enumerate(node.keys):
        keys = [*node.keys[:index], *node.keys[index + 1 :]]
        values = [*node.values[:index], *node.values[index + 1 :]]
        at = key or node.values[index]
        yield Replacement("left out", {"keys": keys, "values": values}, at, "no entry")


def _negated(test: ast.expr, field: str) -> Iterator[Replacement]:
    """Negate what neither a comparison nor a `not` negates by itself."""
    is_single = isinstance(test, ast.Compare) and len(test.ops) == 1
    if not is_single and not isinstance(test, ast.UnaryOp):
        yield Replacement("negated", {field: ast.UnaryOp(ast.Not(), test)}, test, "its negation")


def _arm(node: ast.match_case) -> Iterator[Replacement]:
    takes_all = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
    if not takes_all:
        yield Replacement("left out", {"guard": ast.Constant(False)}, node.pattern, "no such arm")
    if node.guard is not None:
        yield Replacement("left out", {"guard": None}, node.guard)
        yield from _negated(node.guard, "guard")


def _returned(node: ast.Lambda | ast.Return) -> Iterator[Replacement]:
    field = "body" if isinstance(node, ast.Lambda) else "value"
    value = getattr(node, field)
    is_nothing = isinstance(value, ast.Constant) and not value.value
    is_empty = isinstance(value, ast.Tuple | ast.List) and not value.elts
    if value is not None and not is_nothing and not is_empty:
        yield Replacement("nothing returned", {field: ast.Constant(None)})


def _statements(node: ast.AST) -> Iterator[Replacement]:
    """Leave out one statement of a block: a call, a `raise`, a `yield`; turn a jump around."""
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if not isinstance(block, list):
            continue
        for index, one in enumerate(block):
            other = _instead_of(one)
            if other is not None:
                changed = [*block[:index], other, *block[index + 1 :]]
                yield Replacement("statement", {field: changed}, one, ast.unparse(other))


def _instead_of(one: ast.stmt) -> ast.stmt | None:
    match one:
        case ast.Expr(value=ast.Constant()):
            return None
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return None
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            return ast.Pass()
        case ast.Continue():
            return ast.Break()
        case ast.Break():
            return ast.Continue()
        case _:
            return None
