"""Write the stages of a pipeline as ordinary typed functions.

    from host_sdk import Directory, File, machine, stages

    @stages
    class Shop:
        def build(self, src: Directory) -> File:
            return machine.rootfs().with_directory("/src", src).with_exec(["make", "-C", "/src"]).file("/src/app")

A method that returns an object records what to do. A method that returns a value runs everything that the value needs,
and raises `Error`, or `ExecError` if a command failed.
"""

from ._markers import check, stages, value_object
from ._objects import sync_all
from .api import *
from .errors import Error, ExecError

__all__ = [
    "CacheSharing",
    "CacheVolume",
    "Container",
    "Directory",
    "Error",
    "ExecError",
    "File",
    "Level",
    "MatchPart",
    "Port",
    "Protocol",
    "Report",
    "SearchMatch",
    "SearchResult",
    "Secret",
    "Service",
    "Stat",
    "TestCase",
    "Verdict",
    "check",
    "stages",
    "sync_all",
    "value_object",
]
