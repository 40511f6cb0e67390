# Generated from the WIT package by the test `sdk`. Do not edit.
"""The power to read the values of secrets."""

from __future__ import annotations

from ._objects import bindings, leaf, lower
from .api import Secret


def plaintext(secret: Secret) -> str:
    """Returns the value of the secret. Fails with `environment` if the source
    has no value or the value is not UTF-8.
    """
    return leaf(lambda: bindings("secret_access").plaintext(lower(secret)))
