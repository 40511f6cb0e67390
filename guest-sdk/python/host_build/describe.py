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

GLUE = '''\
"""Makes the classes of the component of those that the author wrote. `host build` writes this file."""

{imports}
from host_sdk._glue import Glue

GLUE = Glue({interface!r}, {{{classes}}})
# componentize-py looks here for the custom objects, because the interface has the name of this module.
globals().update(GLUE.objects())
'''

APP = '''\
"""The stages of the component. `host build` writes this file."""

from {module} import {name}
from stages import GLUE

Stages = GLUE.stages({name})
'''


def main(root: Path, out: Path) -> int:
    sources = Sources(root)
    try:
        reader = Reader(sources)
        interface = reader.interface()
    except Mistake as mistake:
        sources.mistakes.append(mistake)
    if sources.mistakes:
        print(json.dumps({"mistakes": [mistake.as_json() for mistake in sources.mistakes]}))
    else:
        write(out, reader, interface)
        print(json.dumps({"interface": interface, "sources": sorted(str(path) for path in sources.files)}))
    return 0


def write(out: Path, reader: Reader, interface: dict) -> None:
    """Writes the modules that componentize-py takes."""
    out.mkdir(parents=True, exist_ok=True)
    own = list(enumerate(reader.classes.items()))
    imports = [f"from {cls.module} import {cls.name} as _{n}" for n, (_, cls) in own]
    classes = ", ".join(f"{name!r}: _{n}" for n, (name, _) in own)
    glue = GLUE.format(imports="\n".join(imports), interface=interface, classes=classes)
    (out / "stages.py").write_text(glue)
    (out / "app.py").write_text(APP.format(module=reader.stages_class.module, name=reader.stages_class.name))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
