# Generated from the WIT package by the test `sdk`. Do not edit.
"""The power to write files of the caller, and to give images to registries and to
Docker.

An effect happens on every call and is never answered from the cache. The caller
of the stage grants this power with `--allow effects`.

Exports are written below the export directory of the caller, which is the
working directory of the command line."""

from __future__ import annotations

from ._objects import bindings, leaf, lower
from .api import Container, Directory, File, Secret


def export_directory(tree: Directory, path: str) -> str:
    """Writes the directory to `path`, relative to the export directory, and
    returns the absolute path. Files that exist there and that the directory does
    not contain stay.

    Fails with `invalid-path` if the path leaves the export directory, also
    through a symbolic link.
    """
    return leaf(lambda: bindings("effects").export_directory(lower(tree), lower(path)))


def export_file(source: File, path: str) -> str:
    """Writes the file to `path`, relative to the export directory, and returns
    the absolute path. Fails as `export-directory` does.
    """
    return leaf(lambda: bindings("effects").export_file(lower(source), lower(path)))


def export_container(image: Container, path: str) -> str:
    """Writes the container as an image to `path`, relative to the export
    directory, in the format of `container.as-tarball`, and returns the absolute
    path. Fails as `export-directory` does.
    """
    return leaf(lambda: bindings("effects").export_container(lower(image), lower(path)))


def publish(image: Container, address: str, username: str | None = None, password: Secret | None = None) -> str:
    """Pushes the container to a registry as the image `address`, and returns
    the reference with its digest.

    Without `username` and `password`, the credentials are those of the caller's
    Docker configuration. Layers that the registry has already are not sent again.
    """
    return leaf(lambda: bindings("effects").publish(lower(image), lower(address), lower(username), lower(password)))


def load(image: Container, name: str) -> str:
    """Loads the container into the local Docker as the image `name`, and
    returns the name with the image's id in that Docker.
    """
    return leaf(lambda: bindings("effects").load(lower(image), lower(name)))
