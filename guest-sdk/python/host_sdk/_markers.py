"""The decorators that say what callers see. `host build` reads them in the sources."""

from typing import Callable, TypeVar

Class = TypeVar("Class", bound=type)
Function = TypeVar("Function", bound=Callable)


def stages(cls: Class) -> Class:
    """Marks the class whose methods are the stages of the module."""
    return cls


def value_object(cls: Class) -> Class:
    """Marks a class whose objects other stages, other modules and the command line can use.

    `__init__` is its constructor, and its other public methods are called on an object.
    """
    return cls


def check(function: Function) -> Function:
    """Marks a stage that `host check` runs. A stage that returns a `Report` is a check without it."""
    return function
