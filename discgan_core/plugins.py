"""Estimators from elsewhere: a user's own file, or the entry point of an installed package.

A file `<name>.py` follows the rule of the files in `discgan_core/estimators`: it holds a factory
`<name>(**hyperparameters) -> Estimator`. It may import modules that lie beside it, which are taken for a part
of it. An installed package names such a factory in its metadata, under the entry points of group
`discgan_bench.estimators`.
"""

from __future__ import annotations

import hashlib
import importlib
import keyword
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from modulefinder import ModuleFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from discgan_core.interface import Estimator

GROUP = "discgan_bench.estimators"


class PluginError(ValueError):
    """What is wrong with an estimator from elsewhere, and in which file and line."""


class Plugin(NamedTuple):
    """An estimator from elsewhere.

    Attributes:
        path: the file it is written in.
        source: that file's path, or the package's name and version, with a hash of what is in the file, and
            in those beside it that it imports.
        factory: (**hyperparameters) -> Estimator.
    """

    path: Path
    source: str
    factory: Callable[..., Any]

    def make(self, name: str, hyperparameters: dict[str, Any]) -> Estimator:
        """Make the estimator.

        Raises:
            PluginError: the factory fails, or gives something else.
        """
        from discgan_core.interface import Estimator  # loads PyTorch, which a list of names can do without

        try:
            estimator = self.factory(**hyperparameters)
        except (Exception, SystemExit) as error:
            raise PluginError(f"{name}(..) of {told(error, self.path)}") from error
        if not isinstance(estimator, Estimator):
            kind = type(estimator).__name__
            raise PluginError(
                f"{self.path}: {name}(..) gives a {kind}, not a discgan_core.interface.Estimator"
            )
        return estimator


def read(path: Path) -> Plugin:
    """Read a file, given by its whole path, and run it as a module.

    Raises:
        PluginError: there is no such file, or it is not what a plug-in has to be.
    """
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        raise PluginError(
            f"{path}: the file's name is the estimator's, so it must be a Python name with .py behind it"
        )
    try:
        code = path.read_bytes()
    except OSError as error:
        raise PluginError(f"cannot read {path}: {error.strerror}") from None
    beside = helpers(path)
    factory = getattr(executed(name, path, code, beside), name, None)
    if not callable(factory):
        raise PluginError(f"{path} has no function {name}(..), which would make the estimator")
    content = b"".join([code, *(beside[module].read_bytes() for module in sorted(beside))])
    return Plugin(path, fingerprint(str(path), content), factory)


def helpers(path: Path) -> dict[str, Path]:
    """Find the modules beside a file that it imports, wherever in it, and that these import: name -> file.

    Raises:
        PluginError: one cannot be read, or has the name of a module from elsewhere.
    """
    finder = ModuleFinder(path=[str(path.parent)])
    try:
        finder.run_script(str(path))
    except Exception as error:
        raise PluginError(told(error, path)) from error
    modules = {name: getattr(module, "__file__", None) for name, module in finder.modules.items()}
    found = {name: Path(file) for name, file in modules.items() if file and name != "__main__"}
    for name, file in found.items():
        if (other := elsewhere(name)) not in (None, str(file)):
            raise PluginError(f"{path} imports {name}, which is {file}, but also {other}: rename the first")
    return found


def elsewhere(name: str) -> str | None:
    """Tell where a module is from that is imported, or would be if there was nothing beside a plug-in."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None) or "a module of Python's"
    if name in sys.stdlib_module_names:
        return "a module of Python's"
    spec = None if "." in name else find_spec(name)
    return spec.origin if spec else None


def executed(name: str, path: Path, code: bytes, beside: Mapping[str, Path]) -> ModuleType:
    """Run a file's code as a module, with the modules beside it as they are now."""
    module = ModuleType(f"{GROUP}.{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look their module up
    for helper in beside:
        sys.modules.pop(helper, None)
    importlib.invalidate_caches()
    if beside and str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # for good: functions may import when they are called
    try:
        with uncached(path / "nowhere"):
            exec(compile(code, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise PluginError(told(error, path)) from error
    return module


@contextmanager
def uncached(nowhere: Path) -> Iterator[None]:
    """Import without Python's cache of compiled files, which can lag behind, and leave none."""
    before = sys.dont_write_bytecode, sys.pycache_prefix
    sys.dont_write_bytecode, sys.pycache_prefix = True, str(nowhere)
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = before


def fingerprint(where: str, code: bytes) -> str:
    """Name a place and what is in it, so that another content is never taken for this one."""
    return f"{where}#{hashlib.sha256(code).hexdigest()[:8]}"


def told(error: BaseException, path: Path) -> str:
    """Tell in one line an error that came from the code in a file, or beside it: where, and what."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(path.parent):
        file, line, what = error.filename, error.lineno, error.msg
    else:
        file, line = where(error, path)
        what = " ".join(text(error)[:3000].split())  # one may have a tensor in it, or a whole file
    place = f"{file}, line {line}" if line else file
    return f"{place}: {type(error).__name__}: {what if len(what) <= 300 else what[:300] + '…'}"


def text(error: BaseException) -> str:
    """Give an error's own text; a user's may raise another."""
    try:
        return str(error)
    except Exception as other:
        return f"(its text raises {type(other).__name__})"


def where(error: BaseException, path: Path) -> tuple[str, int | None]:
    """Find the innermost line that an error went through in a file or one beside it; no line if none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).parent == path.parent:
            return frame.filename, frame.lineno
    return str(path), None


@cache
def entries() -> dict[str, EntryPoint]:
    """Find the entry points of installed packages by name; nothing is imported.

    Raises:
        PluginError: two packages bring the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if entry.name in found:
            both = " and ".join(package(e) for e in (found[entry.name], entry))
            raise PluginError(f"{both} both bring an estimator {entry.name}: uninstall one of them")
        found[entry.name] = entry
    return found


@cache
def installed(name: str) -> Plugin:
    """Import the estimator that an installed package brings.

    Raises:
        PluginError: it cannot be imported, or is no factory.
    """
    entry, path = entries()[name], path_of(name)
    try:
        factory = entry.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"estimator {name} of {package(entry)}: {told(error, path)}") from error
    if not callable(factory):
        raise PluginError(f"estimator {name} of {package(entry)}: {entry.value} is no function")
    return Plugin(path, fingerprint(package(entry), path.read_bytes()), factory)


def path_of(name: str) -> Path:
    """Find the file of an installed package that an entry point names.

    Raises:
        PluginError: there is none.
    """
    entry = entries()[name]
    try:
        spec = find_spec(entry.module)
    except Exception as error:  # importing what is above the module, which may do anything
        raise PluginError(f"estimator {name} of {package(entry)}: {type(error).__name__}: {error}") from error
    if spec is None or spec.origin is None:
        raise PluginError(f"estimator {name} of {package(entry)}: there is no module {entry.module}")
    return Path(spec.origin)


def package(entry: EntryPoint) -> str:
    """Name the package that an entry point belongs to, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module
