# Generated from the WIT package by the test `sdk`. Do not edit.
"""Messages for the person who runs the pipeline."""

from __future__ import annotations

from ._objects import bindings, lower
from .api import Level


def emit(level: Level, message: str) -> None:
    """Shows a message together with the name of the stage that sends it."""
    bindings("log").emit(lower(level), lower(message))
