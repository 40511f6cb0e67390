// Reads the stages in the sources of a module, and bundles them with what the component needs.
//
//     node describe.mjs MODULE OUT
//
// prints the interface as JSON, or the mistakes in the sources, or the package that is missing. It runs none of the
// author's code, and writes OUT/app.js for componentize-qjs.

import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const [root, out] = [realpathSync(process.argv[2]), process.argv[3]];
const packages = {};
for (const [name, program] of [["typescript", "tsc"], ["esbuild", "esbuild"]]) {
  packages[name] = installed(name, program);
  if (packages[name] === undefined) {
    answer({ missing: name });
    process.exit(0);
  }
}

const { read } = await import("./interface.mjs");
const { bundle } = await import("./bundle.mjs");

const { interface: found, names, classes, entry, mistakes } = read(packages.typescript, root);
if (mistakes.length === 0) {
  const { sources, mistakes } = bundle(packages.esbuild, { root, out, entry, names, classes });
  answer(mistakes.length === 0 ? { interface: found, sources } : { mistakes });
} else {
  answer({ mistakes });
}

/** Returns a package of the module, or else the one whose program is on the PATH. */
function installed(name, program) {
  const programs = (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, program));
  const places = [join(root, "package.json"), ...programs.filter(existsSync).map((path) => realpathSync(path))];
  for (const place of places) {
    try {
      return createRequire(place)(name);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

function answer(value) {
  process.stdout.write(JSON.stringify(value));
}
