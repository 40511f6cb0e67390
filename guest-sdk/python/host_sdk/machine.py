# Generated from the WIT package by the test `sdk`. Do not edit.
"""The power to run the tools that are installed on this machine."""

from __future__ import annotations

from ._objects import bindings, lift
from .api import Container


def rootfs() -> Container:
    """Returns a container that shows this machine's system: `/usr`, `/bin`, `/sbin`
    and `/lib*`, read-only, and a copy of those parts of `/etc` that contain no
    private data. Everything else is empty and writable.

    The cache key contains the package database, the cache of the dynamic linker,
    the times of the directories in which programs are looked up, and the
    architecture. A file under `/usr` that was changed by hand, without the package
    manager, is not noticed; run once with `--no-cache` after such a change.
    """
    return lift(Container, bindings("machine").rootfs())
