# Generated from the WIT package by the test `sdk`. Do not edit.
"""The power to fetch from the network.

Each source is looked up once per run, and the event log has its digest."""

from __future__ import annotations

from ._objects import bindings, lift, lower
from .api import Directory, File


def git(url: str, reference: str) -> Directory:
    """Returns the files of a git repository at a branch, a tag or a commit."""
    return lift(Directory, bindings("sources").git(lower(url), lower(reference)))


def http(url: str, sha256: str | None = None) -> File:
    """Returns the file at a URL.

    `sha256` is the expected digest, as 64 hex digits. If the contents have
    another digest, a LEAF fails with `invalid-argument`.
    """
    return lift(File, bindings("sources").http(lower(url), lower(sha256)))
