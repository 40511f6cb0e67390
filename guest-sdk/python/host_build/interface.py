"""Finds the interface of a module in its sources: the stages, and the types that they use."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from docs import docstring, split
from sources import ENTRY, Class, Mistake, Sources

PLAIN = {"str": "string", "bool": "bool", "int": "s64", "float": "f64"}
OBJECTS = {"CacheVolume", "Container", "Directory", "File", "Secret", "Service"}
VALUES = {"CacheSharing", "MatchPart", "Port", "Protocol", "Report", "SearchMatch", "SearchResult", "Stat", "TestCase", "Verdict"}

INSTEAD = {
    "dict": "use a dataclass, or `list[tuple[str, str]]`",
    "Dict": "use a dataclass, or `list[tuple[str, str]]`",
    "set": "use `list`",
    "object": "name the type",
    "Any": "name the type",
    "Path": "a stage has no file system: use `File`, `Directory` or `str`",
    "Literal": "use a class of `enum.Enum`",
    "Callable": "a function cannot be passed to a stage",
    "datetime": "use `str`, or `int` with the unit in the parameter's name",
    "timedelta": "use `int` with the unit in the parameter's name",
    "Decimal": "use `str` or `float`",
}
"""What to use in place of types that cannot cross."""

CAN_CROSS = (
    "a stage takes and returns `str`, `bool`, `int`, `float`, `bytes`, `list`, `tuple`, `Optional`, the classes of "
    "`host_sdk`, and own classes: of `enum.Enum`, with `@dataclass`, or with `@value_object`"
)


def kebab(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name.strip("_"))
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1-\2", words).replace("_", "-").lower()


def decorators(node: Any) -> list[str]:
    names = []
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.append(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return names


class Reader:
    """Reads the class of stages, and every class that its signatures name."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.types: list[dict] = []
        self.objects: list[dict] = []
        self.classes: dict[str, Class] = {}
        """The classes of the author by their names in the interface."""
        self.stages_class = self.find_stages()

    def find_stages(self) -> Class:
        source = self.sources.entry()
        found = [n for n in source.tree.body if isinstance(n, ast.ClassDef) and "stages" in decorators(n)]
        if len(found) == 1:
            return Class(ENTRY, found[0].name, found[0], source.path)
        if found:
            raise Mistake(source.path, found[1].lineno, "a module has one class with `@stages`, and this is the second")
        hint = "write `@stages` before the class whose methods are the stages: `from host_sdk import stages`"
        raise Mistake(source.path, 1, f"no class in `{source.path}` has `@stages`", hint)

    def interface(self) -> dict:
        cls = self.stages_class
        docs = docstring(cls.node) or docstring(self.sources.parse(ENTRY).tree)
        stages = [stage for node in methods(cls.node) if (stage := self.keep(cls, node)) is not None]
        for node in cls.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__" and len(node.args.args) > 1:
                self.sources.mistakes.append(cls.mistake(node, "the class of stages cannot take arguments"))
        if not stages and not self.sources.mistakes:
            raise cls.mistake(cls.node, f"the class `{cls.name}` has no public method", "each is a stage")
        self.check_names(cls, stages)
        powers = sorted(self.sources.powers)
        return {
            "docs": split(docs)[0],
            "types": self.types,
            "objects": self.objects,
            "stages": stages,
            "powers": powers,
        }

    def keep(self, cls: Class, node: Any) -> dict | None:
        """Reads a stage, and keeps the mistake in it for the others to be found, too."""
        try:
            return self.function(cls, node)
        except Mistake as mistake:
            self.sources.mistakes.append(mistake)
            return None

    def check_names(self, cls: Class, stages: list[dict]) -> None:
        seen: set[str] = set()
        for name in [*(stage["name"] for stage in stages), *self.classes]:
            if name in seen:
                self.sources.mistakes.append(cls.mistake(cls.node, f"two things of the module are called `{name}`"))
            seen.add(name)

    def function(self, cls: Class, node: ast.FunctionDef, name: str | None = None) -> dict:
        what = f"`{node.name}`"
        if isinstance(node, ast.AsyncFunctionDef):
            hint = "methods of objects wait by themselves, and `sync_all` evaluates several at the same time"
            raise cls.mistake(node, f"{what} cannot be `async`", hint)
        args = node.args
        for rest in (args.vararg, args.kwarg):
            if rest is not None:
                raise cls.mistake(rest, f"{what} cannot take `*{rest.arg}`", "callers see names and types: use a list")
        if args.posonlyargs:
            raise cls.mistake(node, f"{what} cannot have parameters without a name", "remove the `/`")
        if not args.args or {"staticmethod", "classmethod"} & set(decorators(node)):
            raise cls.mistake(node, f"{what} has to be a method: its first parameter is `self`")
        text, documented = split(docstring(node))
        given = args.args[1:]
        defaults = [None] * (len(given) - len(args.defaults)) + list(args.defaults)
        pairs = [*zip(given, defaults), *zip(args.kwonlyargs, args.kw_defaults)]
        params = [self.param(cls, node, arg, default, documented) for arg, default in pairs]
        result = None
        if name is None:
            if node.returns is None:
                hint = "write `-> None` if it returns nothing"
                raise cls.mistake(node, f"{what} does not say what it returns", hint)
            is_none = isinstance(node.returns, ast.Constant) and node.returns.value is None
            result = None if is_none else self.type(cls, node.returns)
        return {
            "name": name or kebab(node.name),
            "docs": text,
            "is_check": "check" in decorators(node),
            "params": params,
            "result": result,
            "can_fail": True,
        }

    def param(self, cls: Class, node: Any, arg: ast.arg, default: ast.expr | None, documented: dict) -> dict:
        if arg.annotation is None:
            hint = f"write it as `{arg.arg}: str`, or with the type that it has"
            raise cls.mistake(arg, f"the parameter `{arg.arg}` of `{node.name}` has no type", hint)
        ty = self.type(cls, arg.annotation, is_param=True)
        text = None
        if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
            inner = ty.get("option", ty)
            text = self.default(cls, default, inner, arg.arg)
            ty = {"option": inner}
        elif default is not None and "option" not in ty:
            ty = {"option": ty}
        return {"name": kebab(arg.arg), "docs": documented.get(arg.arg, ""), "ty": ty, "default": text}

    def default(self, cls: Class, node: ast.expr, ty: dict, name: str) -> str:
        """Returns a default as the text form of WebAssembly values has it."""
        ((kind, inner),) = ty.items()
        if kind == "local" and isinstance(node, ast.Attribute) and inner in self.classes:
            cases = next((t["members"] for t in self.types if t["name"] == inner), [])
            if kebab(node.attr) in [case["name"] for case in cases]:
                return kebab(node.attr)
        if kind == "list" and isinstance(node, (ast.List, ast.Tuple)):
            return "[" + ", ".join(self.default(cls, item, inner, name) for item in node.elts) + "]"
        try:
            value = ast.literal_eval(node)
        except ValueError:
            hint = "a default is written out, as callers see it; for others take `None` and set it in the body"
            raise cls.mistake(node, f"the default of `{name}` is not a constant", hint) from None
        if text := plain_default(value, kind, inner):
            return text
        raise cls.mistake(node, f"the default of `{name}` is not of its type", None)

    def type(self, cls: Class, node: ast.expr, is_param: bool = False) -> dict:
        """Returns the type that an annotation stands for."""
        match node:
            case ast.Constant(value=str(text)):
                try:
                    inner = ast.parse(text, mode="eval").body
                except SyntaxError:
                    raise cls.mistake(node, f"the annotation `{text}` is not a type") from None
                return self.type(cls, ast.copy_location(inner, node), is_param)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self.union(cls, node, [left, right], is_param)
            case ast.Subscript(value=base, slice=inner):
                items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self.generic(cls, node, last_name(base), items, is_param)
            case ast.Name() | ast.Attribute():
                return self.named(cls, node, last_name(node), is_param)
        raise cls.mistake(node, f"`{ast.unparse(node)}` cannot cross", CAN_CROSS)

    def union(self, cls: Class, node: ast.expr, sides: list[ast.expr], is_param: bool) -> dict:
        types = [side for side in sides if not (isinstance(side, ast.Constant) and side.value is None)]
        if len(types) != 1 or len(sides) != 2:
            raise cls.mistake(node, f"`{ast.unparse(node)}` cannot cross", "only `T | None` can: " + CAN_CROSS)
        return {"option": self.type(cls, types[0], is_param)}

    def generic(self, cls: Class, node: ast.expr, base: str, items: list[ast.expr], is_param: bool) -> dict:
        match base, items:
            case "Optional", [item]:
                return {"option": self.type(cls, item, is_param)}
            case ("list" | "List" | "Sequence" | "Iterable"), [item]:
                return {"list": self.type(cls, item, is_param)}
            case ("tuple" | "Tuple"), [item, ast.Constant(value=value)] if value is ...:
                return {"list": self.type(cls, item, is_param)}
            case ("tuple" | "Tuple"), _:
                return {"tuple": [self.type(cls, item, is_param) for item in items]}
        raise cls.mistake(node, f"`{ast.unparse(node)}` cannot cross", INSTEAD.get(base, CAN_CROSS))

    def named(self, cls: Class, node: ast.expr, name: str, is_param: bool) -> dict:
        source = self.sources.parse(cls.module)
        own = self.sources.find_class(source, name)
        if own is not None:
            kind = self.own(own, node, cls)
            return {"lent" if kind == "object" and is_param else "local": kebab(own.name)}
        if name in PLAIN:
            return {"primitive": PLAIN[name]}
        if name in ("bytes", "bytearray"):
            return {"list": {"primitive": "u8"}}
        if name in OBJECTS | VALUES:
            return {"api": kebab(name)}
        if name in ("list", "List", "tuple", "Tuple"):
            raise cls.mistake(node, f"say what is in the `{name}`: `{name}[str]`")
        raise cls.mistake(node, f"the type `{name}` cannot cross", INSTEAD.get(name, CAN_CROSS))

    def own(self, own: Class, node: ast.expr, user: Class) -> str:
        """Reads a class of the author, once, and returns its kind."""
        bases = [last_name(base) for base in own.node.bases]
        marks = decorators(own.node)
        name = kebab(own.name)
        if "value_object" in marks:
            kind = "object"
        elif any(base in ("Enum", "StrEnum", "IntEnum") for base in bases):
            kind = "enum"
        elif "dataclass" in marks:
            kind = "record"
        else:
            hint = "give it `@dataclass`, `@value_object`, or the base class `enum.Enum`"
            raise user.mistake(node, f"the class `{own.name}` cannot cross as it is", hint)
        if name in self.classes:
            return kind
        self.classes[name] = own
        if kind == "object":
            self.object(own, name)
        elif kind == "enum":
            self.types.append({"name": name, "docs": lines(own), "kind": kind, "members": cases(own)})
        else:
            made: dict = {"name": name, "docs": lines(own), "kind": kind, "members": []}
            fields = [n for n in own.node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
            _, documented = split(docstring(own.node))
            for field in fields:
                field_name = field.target.id  # type: ignore[union-attr]
                docs = [documented[field_name]] if field_name in documented else []
                ty = self.type(own, field.annotation)
                made["members"].append({"name": kebab(field_name), "docs": docs, "ty": ty})
            if not fields:
                raise own.mistake(own.node, f"the dataclass `{own.name}` has no fields")
            self.types.append(made)
        return kind

    def object(self, own: Class, name: str) -> None:
        made: dict = {"name": name, "docs": lines(own), "members": []}
        self.objects.append(made)
        for node in own.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                function = self.function(own, node, name="new")
                made["members"].append({"role": "constructor", "function": function | {"can_fail": False}})
        for node in methods(own.node):
            made["members"].append({"role": "method", "function": self.function(own, node)})


def methods(cls: ast.ClassDef) -> list[Any]:
    functions = (node for node in cls.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return [node for node in functions if not node.name.startswith("_")]


def cases(own: Class) -> list[dict]:
    found = [n for n in own.node.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)]
    if not found:
        raise own.mistake(own.node, f"the enum `{own.name}` has no cases")
    return [{"name": kebab(n.targets[0].id), "docs": [], "ty": None} for n in found]  # type: ignore[attr-defined]


def lines(own: Class) -> list[str]:
    return split(docstring(own.node))[0]


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def plain_default(value: Any, kind: str, inner: Any) -> str | None:
    if kind != "primitive":
        return None
    match inner, value:
        case "bool", bool():
            return "true" if value else "false"
        case "string", str():
            return json.dumps(value, ensure_ascii=False)
        case "s64", int() if not isinstance(value, bool):
            return str(value)
        case "f64", (int() | float()) if not isinstance(value, bool):
            return repr(float(value))
    return None
