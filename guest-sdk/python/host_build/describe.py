"""Reads the stages in the sources of a module, and writes what the component needs beside them.

    python3 describe.py MODULE OUT

prints the interface as JSON, or the mistakes in the sources. It runs none of the author's code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from interface import Reader  # noqa: E402
from sources import Mistake, Sources  # noqa: E402

APP = '''\
"""Makes the component of the author's class. `host build` writes this file."""

{imports}
from host_sdk._glue import Glue

GLUE = Glue(
    {interface!r},
    {{{classes}}},
)
OBJECTS = GLUE.objects()
{rest}
'''


def main(root: Path, out: Path) -> int:
    sources = Sources(root)
    try:
        reader = Reader(sources)
        interface = reader.interface()
        if sources.mistakes:
            raise sources.mistakes[0]
    except Mistake as mistake:
        if mistake not in sources.mistakes:
            sources.mistakes.append(mistake)
        print(json.dumps({"mistakes": [mistake.as_json() for mistake in sources.mistakes]}))
        return 0
    write(out, reader, interface)
    print(json.dumps({"interface": interface, "sources": sorted(str(path) for path in sources.files)}))
    return 0


def write(out: Path, reader: Reader, interface: dict) -> None:
    """Writes the module that componentize-py takes, and the one that has the custom objects."""
    out.mkdir(parents=True, exist_ok=True)
    found = reader.classes | {"": reader.stages_class}
    imports = {f"from {cls.module} import {cls.name} as _{n}" for n, cls in enumerate(found.values())}
    classes = ", ".join(f"{name!r}: _{n}" for n, name in enumerate(found) if name)
    shared = {"imports": "\n".join(sorted(imports)), "interface": interface, "classes": classes}
    app = f"Stages = GLUE.stages(_{len(found) - 1})"
    # componentize-py looks for objects in a module of the interface's name, and for the rest in `app`.
    (out / "app.py").write_text("from stages import GLUE, _" + str(len(found) - 1) + f"\n\n{app}\n")
    (out / "stages.py").write_text(APP.format(**shared, rest="globals().update(OBJECTS)"))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
