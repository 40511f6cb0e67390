"""A program that contains a whole pipeline, like tests/functions/program in Rust."""

import sys
from typing import Dict, List

from componentize_py_types import Err
from wit_world.imports import machine
from wit_world.imports.container import Container
from wit_world.imports.directory import Directory


class Run:
    def run(self) -> None:
        _, *names = sys.argv
        if not names:
            print("nobody to greet: give names as arguments", file=sys.stderr)
            raise Err(None)
        built = build(Directory().with_new_file("greet.sh", 'echo "hello, $1"\n'), names)
        print(f"testing {len(names)} greetings")
        for name, greeting in test(built).items():
            print(f"{name}: {greeting.rstrip()}")
        print(f"packed {len(pack(built).entries(None))} files")


def build(sources: Directory, names: List[str]) -> Dict[str, Container]:
    """Returns one container for each name, with its greeting in `/out`."""
    root = machine.rootfs().with_directory("/src", sources).with_workdir("/src")
    script = 'mkdir /out; sh greet.sh "$0" > "/out/$0"'
    return {name: root.with_exec(["sh", "-e", "-c", script, name]) for name in names}


def test(built: Dict[str, Container]) -> Dict[str, str]:
    """Evaluates all of them at the same time, and returns the greetings."""
    for container in built.values():
        container.start()
    return {name: container.with_exec(["sh", "-c", "cat /out/*"]).stdout() for name, container in built.items()}


def pack(built: Dict[str, Container]) -> Directory:
    """Returns one directory with all greetings."""
    return Directory().with_files("/", [container.file(f"/out/{name}") for name, container in built.items()])
