"""Makes the classes that a component exports of those that the author wrote."""

from __future__ import annotations

import enum
import traceback
from typing import Any

from componentize_py_types import Err
from wit_world.imports import errors

from . import api
from ._objects import bind, lift, lower
from .errors import Error, ExecError

bind()


class Glue:
    """Converts between the author's types and those of the bindings.

    `interface` is what `host build` found in the sources, and `classes` has the author's classes by their names in it.
    """

    def __init__(self, interface: dict, classes: dict[str, type]) -> None:
        self.interface = interface
        self.classes = classes
        self.exported: dict[str, type] = {}
        self.exports = exports() if interface["types"] else None
        self.kinds = {definition["name"]: definition for definition in interface["types"]}

    def stages(self, cls: type) -> type:
        """Returns the class of all stages."""
        methods = {}
        for stage in self.interface["stages"]:
            methods[snake(stage["name"])] = self.method(stage, lambda _, name: getattr(cls(), name))
        return type("Stages", (), methods)

    def objects(self) -> dict[str, type]:
        """Returns the classes of custom objects, by the names that the bindings look for."""
        for description in self.interface["objects"]:
            name = camel(description["name"])
            self.exported[description["name"]] = self.object(name, description)
        return {cls.__name__: cls for cls in self.exported.values()}

    def object(self, name: str, description: dict) -> type:
        author = self.classes[description["name"]]
        methods: dict[str, Any] = {}
        for member in description["members"]:
            function = member["function"]
            if member["role"] == "constructor":
                make = self.method(function, lambda *_: author)

                def initialize(self, *values, make=make):
                    self.author = make(self, *values)

                methods["__init__"] = initialize
            else:
                methods[snake(function["name"])] = self.method(function, lambda this, name: getattr(this.author, name))
        return type(name, (), methods)

    def method(self, function: dict, find: Any) -> Any:
        """Returns a method of the component that calls one of the author.

        `find` returns the author's function for the object of the component.
        """
        name = snake(function["name"])
        is_constructor = function["result"] is None and not function["can_fail"]

        def call(this, *values):
            try:
                arguments = {}
                for param, value in zip(function["params"], values):
                    # The default is the one in the author's code.
                    if value is not None or param["default"] is None:
                        arguments[snake(param["name"])] = self.lift(value, param["ty"])
                result = find(this, name)(**arguments)
                return result if is_constructor else self.lower(result, function["result"], name)
            except Exception as error:
                raise failure(error) from None

        return call

    def lift(self, value: Any, ty: dict) -> Any:
        """Returns a value of the bindings as one of the author."""
        ((kind, inner),) = ty.items()
        if value is None or kind == "primitive":
            return value
        match kind:
            case "option":
                return self.lift(value, inner)
            case "list":
                return value if isinstance(value, bytes) else [self.lift(item, inner) for item in value]
            case "tuple":
                return tuple(self.lift(item, item_ty) for item, item_ty in zip(value, inner))
            case "api":
                return lift(getattr(api, camel(inner)), value)
        if inner in self.exported:
            return value.author
        cls = self.classes[inner]
        if issubclass(cls, enum.Enum):
            return cls[value.name]
        members = self.kinds[inner]["members"]
        return cls(**{snake(m["name"]): self.lift(getattr(value, snake(m["name"])), m["ty"]) for m in members})

    def lower(self, value: Any, ty: dict | None, where: str) -> Any:
        """Returns a value of the author as one of the bindings."""
        if ty is None:
            return None
        ((kind, inner),) = ty.items()
        match kind:
            case "primitive":
                return plain(value, inner, where)
            case "option":
                return None if value is None else self.lower(value, inner, where)
            case "list" if isinstance(value, (bytes, bytearray)):
                return bytes(value)
            case "list":
                return [self.lower(item, inner, where) for item in expected(value, (list, tuple, set), where)]
            case "tuple":
                items = expected(value, (tuple, list), where)
                return tuple(self.lower(item, item_ty, where) for item, item_ty in zip(items, inner, strict=True))
            case "api":
                return lower(expected(value, getattr(api, camel(inner)), where))
        cls = self.classes[inner]
        expected(value, cls, where)
        if inner in self.exported:
            made = self.exported[inner].__new__(self.exported[inner])
            made.author = value
            return made
        binding = getattr(self.exports, camel(inner))
        if issubclass(cls, enum.Enum):
            return binding[value.name]
        members = self.kinds[inner]["members"]
        return binding(*[self.lower(getattr(value, snake(m["name"])), m["ty"], where) for m in members])


PLAIN: dict[str, tuple] = {"string": (str,), "bool": (bool,), "f64": (float, int)}
"""The classes of plain values; all others are whole numbers."""


def plain(value: Any, name: str, where: str) -> Any:
    is_other = isinstance(value, bool) and name != "bool"
    return expected(value, () if is_other else PLAIN.get(name, (int,)), where, name)


def exports() -> Any:
    # The bindings have this module only if the interface has types.
    from wit_world.exports import stages

    return stages


def expected(value: Any, classes: Any, where: str, name: str = "") -> Any:
    if not isinstance(value, classes):
        name = name or getattr(classes, "__name__", "a list or a tuple")
        raise Error(f"`{where}` returned {said(value)}, and its annotation says {name}")
    return value


def said(value: Any) -> str:
    return "nothing" if value is None else f"a value of the class `{type(value).__name__}`"


def failure(error: Exception) -> Exception:
    """Returns the error that the caller of a stage gets."""
    if isinstance(error, ExecError):
        failed = errors.ExecFailure(error.command, error.exit_code, error.stdout, error.stderr)
        return Err(errors.Error(error.code, error.message, failed, error.attributes))
    if isinstance(error, Error):
        return Err(errors.Error(error.code, error.message, None, error.attributes))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_ours(frame.filename)]
    lines = [f"{type(error).__name__}: {error}".rstrip(": ")]
    lines += [f"  at {place(frame)}" for frame in reversed(frames)]
    return Err(errors.Error("custom", "\n".join(lines), None, []))


def is_ours(path: str) -> bool:
    return "/host_sdk/" in path


def place(frame: traceback.FrameSummary) -> str:
    # A component has each directory of sources under a number.
    path = frame.filename.lstrip("/").split("/", 1)[-1]
    return f"{path}:{frame.lineno}, in `{frame.name}`"


def snake(name: str) -> str:
    return name.replace("-", "_")


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
