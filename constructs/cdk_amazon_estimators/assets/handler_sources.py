"""Find the source files that the Lambda handlers import, without running any of them.

The functions carry only these files, so a change to the client or the command line does not create a new
version of the functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HANDLERS = "handlers"
NAME = re.compile(r"[a-z0-9]\w*(\.\w+)*", re.ASCII)
"""The form of a string that names a module or a data file."""


@dataclass(frozen=True)
class _Names:
    """The names in one file: modules it imports, and strings, some of which are modules or data files.

    ``members`` are the names in ``from module import name``, any of which may be a module.
    """

    modules: frozenset[str]
    members: frozenset[tuple[str, str]]
    strings: frozenset[str]
    loads_by_name: bool


def handler_sources(package: Path) -> list[Path]:
    """Return the files of ``package`` that its handlers import, directly or not, by path.

    An import inside a function counts; one for type checkers only does not. A data file belongs to the module
    beside it that names it. A module whose full name is a string is loaded by that name somewhere. A module
    that calls ``import_module`` may load any module that its strings name, seen from its own package. The
    root package is the exception: it loads by name what notebooks ask it for, and handlers import everything
    from its own module.

    Raises:
        ImportError: If a file imports a module of the package that does not exist.
    """
    pending = list((package / HANDLERS).glob("*.py"))
    files: set[Path] = set()
    while pending:
        path = pending.pop()
        if path in files:
            continue
        files.add(path)
        folders = path.relative_to(package).parents
        pending += [package / folder / "__init__.py" for folder in folders]
        names = _names(path, path.stat().st_mtime_ns)
        pending += _imported(package, path, names)
        files |= {
            path.with_name(text)
            for text in names.strings
            if not text.endswith(".py") and path.with_name(text).is_file()
        }
    return sorted(files)


def _imported(package: Path, path: Path, names: _Names) -> Iterator[Path]:
    root = package.name
    for module in names.modules:
        yield _file_of(package, module, path)
    for module, member in names.members:
        submodule = _found(package, f"{module}.{member}")
        if submodule:
            yield submodule
        elif module == root:
            raise ImportError(
                f"{path} imports {member} from {root}, which loads it by name; allowed: to import it from "
                "the module that defines it, so that the functions carry that module"
            )
    for text in names.strings:
        if text.startswith(f"{root}.") and (loaded := _found(package, text)):
            yield loaded
    if names.loads_by_name and path.parent != package:
        own = ".".join([root, *path.relative_to(package).parts[:-1]])
        for text in names.strings:
            if loaded := _found(package, f"{own}.{text}"):
                yield loaded


def _file_of(package: Path, module: str, importer: Path) -> Path:
    source = _found(package, module)
    if source is None:
        raise ImportError(f"{importer} imports {module}, which is not in {package}")
    return source


def _found(package: Path, module: str) -> Path | None:
    """Return the file of a module of ``package``, or None if there is none of that name."""
    _, *parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    place = package.joinpath(*parts)
    candidates = (place.with_suffix(".py") if parts else place / "__init__.py", place / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


@cache
def _names(path: Path, modified: int) -> _Names:
    """Read the names in ``path``. ``modified`` is its modification time, so that a changed file is read
    again."""
    root = path.parent
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    modules: set[str] = set()
    members: set[tuple[str, str]] = set()
    strings: set[str] = set()
    loads_by_name = False
    for node in _run_time_nodes(ast.parse(path.read_bytes(), str(path))):
        match node:
            case ast.Import(names=aliases):
                modules |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                modules.add(module)
                members |= {(module, alias.name) for alias in aliases}
                loads_by_name |= module == "importlib"
            case ast.Constant(value=str(text)) if NAME.fullmatch(text):
                strings.add(text)

    def is_own(module: str) -> bool:
        return module.partition(".")[0] == root.name

    return _Names(
        frozenset(filter(is_own, modules)),
        frozenset(pair for pair in members if is_own(pair[0])),
        frozenset(strings),
        loads_by_name,
    )


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the nodes that run: all except the bodies of ``if TYPE_CHECKING``."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)
