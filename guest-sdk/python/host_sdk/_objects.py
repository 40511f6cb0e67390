"""What the generated classes share: the objects of the interface behind them, and values that cross it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from .errors import Error, ExecError

Raw = Any
"""An object of the bindings, which exist only inside of a component."""

BOUND: dict[str, Any] = {}
"""The bindings of the interfaces of `pipeline:api` that the component imports."""


def bind() -> None:
    """Loads all bindings. A component has no files any more when a stage is called."""
    for interface in (
        "cache",
        "container",
        "directory",
        "effects",
        "errors",
        "file",
        "log",
        "machine",
        "report",
        "secret",
        "secret_access",
        "service",
        "sources",
    ):
        try:
            BOUND[interface] = import_module(f"wit_world.imports.{interface}")
        except ImportError:
            continue


def bindings(interface: str) -> Any:
    """Returns the bindings of an interface of `pipeline:api`."""
    if interface not in BOUND:
        raise Error(f"`{interface}` can be used only in a stage that `host` calls")
    return BOUND[interface]


class Object:
    """An object of the interface."""

    _raw: Raw

    @classmethod
    def _of(cls, raw: Raw) -> Any:
        made = cls.__new__(cls)
        made._raw = raw
        return made


class Value:
    """A record or an enum of `pipeline:api`, which the bindings have too."""

    _interface: str

    @classmethod
    def _binding(cls) -> Any:
        return getattr(bindings(cls._interface), cls.__name__)


def lower(value: Any) -> Any:
    """Returns a value of the SDK as the bindings take it."""
    match value:
        case Object():
            return value._raw
        case Value() if isinstance(value, enum.Enum):
            return value._binding()[value.name]
        case Value():
            fields = dataclasses.fields(value)  # type: ignore[arg-type]
            return value._binding()(*[lower(getattr(value, field.name)) for field in fields])
        case str() | bytes():
            return value
        case tuple():
            return tuple(lower(item) for item in value)
        case Iterable():
            return [lower(item) for item in value]
    return value


def items(values: Iterable[Any]) -> list[Any]:
    """Returns the values of a list as the bindings take them."""
    if isinstance(values, (str, bytes)):
        raise TypeError(f"a list is needed here, and not one text: write [{values!r}]")
    return [lower(value) for value in values]


def lift(cls: Any, raw: Any) -> Any:
    """Returns a value of the bindings as an object, a record or an enum of the SDK."""
    if issubclass(cls, Object):
        return cls._of(raw)
    if issubclass(cls, enum.Enum):
        return cls[raw.name]
    types = {field.name: FIELDS.get((cls.__name__, field.name)) for field in dataclasses.fields(cls)}
    values = {name: getattr(raw, name) for name in types}
    return cls(**{name: values[name] if ty is None else ty(values[name]) for name, ty in types.items()})


FIELDS: dict[tuple[str, str], Callable[[Any], Any]] = {}
"""How the fields of records are lifted, for those that are no plain values."""


def options(binding: Any, **values: Any) -> Any:
    """Returns options of the bindings, or `None` if none of the values says anything."""
    made = None
    for name, value in values.items():
        if value is None or value is False:
            continue
        made = made or binding()
        if value is True:
            made = getattr(made, name)()
        elif isinstance(value, dict):
            for pair in value.items():
                made = getattr(made, name)(*pair)
        else:
            made = getattr(made, name)(lower(value))
    return made


def leaf(call: Callable[[], Any]) -> Any:
    """Returns what a method returns that can fail; raises its error as one of the SDK."""
    try:
        return call()
    except Exception as error:
        raise _error(error) from None


def _error(error: Exception) -> Exception:
    raw = getattr(error, "value", None)
    if type(error).__name__ != "Err" or not hasattr(raw, "code"):
        return error
    if raw.exec is None:
        return Error(raw.message, raw.code, raw.attributes)
    failure = raw.exec
    streams = (failure.stdout_tail, failure.stderr_tail)
    return ExecError(raw.message, failure.args, failure.exit_code, *streams, raw.attributes)


def sync_all(*objects: Any) -> None:
    """Evaluates several containers, directories and files at the same time.

    Raises the error of the first that fails, in the order of the arguments.
    """
    for item in objects:
        item.start()
    for item in objects:
        item.sync()
