"""The modules that are mutated, each with its tree and its mutants."""

import ast
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from mutants.edits import Edit, edits

PACKAGE = "door_sync.core"


@dataclass(frozen=True)
class Module:
    """A module of the core: its last name and where its source is."""

    name: str
    path: Path

    @property
    def full_name(self) -> str:
        """Its name as it is imported."""
        return f"{PACKAGE}.{self.name}"

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree, which mutants change in place."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def edits(self) -> list[Edit]:
        """All its mutants."""
        return edits(self.tree)

    def compiled(self) -> CodeType:
        """Return the code of the tree as it is now; raise SyntaxError, ValueError or TypeError
        where a mutant is no program."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(ast.fix_missing_locations(self.tree), str(self.path), "exec")


def modules(core: Path, names: Iterable[str]) -> list[Module]:
    """Return these modules of the package at `core`, all if no name is given."""
    wanted = set(names)
    paths = sorted(path for path in core.glob("*.py") if path.stem != "__init__")
    return [Module(one.stem, one) for one in paths if not wanted or one.stem in wanted]


def put_in_place(module: Module, function: str) -> None:
    """Give a function of an imported module the code that the tree has now.

    Everybody who holds the function runs the new code, wherever they imported it from.
    """
    parts = function.split(".")
    code = module.compiled()
    for part in parts:
        [code] = [
            one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == part
        ]
    _function(sys.modules[module.full_name], parts).__code__ = code


def _function(module: ModuleType, parts: Sequence[str]) -> FunctionType:
    found: object = module
    for part in parts:
        found = vars(found)[part]
    for wrapped in ("fget", "func", "__func__"):  # property, cached_property, classmethod
        found = getattr(found, wrapped, found)
    assert isinstance(found, FunctionType), f"{'.'.join(parts)} is not known as a function"
    return found


class Importer(SourceFileLoader):
    """Imports one module from its tree, as it is when it is imported."""

    def __init__(self, module: Module) -> None:
        super().__init__(module.full_name, str(module.path))
        self._module = module

    def find_spec(self, full_name: str, *_: object) -> ModuleSpec | None:
        """Return the way to the one module, and None for all others."""
        if full_name != self._module.full_name:
            return None
        return spec_from_file_location(full_name, self._module.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader's own signature
        """Return the code of the tree as it is now."""
        return self._module.compiled()
