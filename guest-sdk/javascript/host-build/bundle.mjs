// Bundles the sources of a module into one file, and tells which line of it came from where.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SDK = resolve(dirname(fileURLToPath(import.meta.url)), "../host-sdk");

/** What to do in place of modules that a component cannot use. */
const INSTEAD = {
  child_process: "run commands in a container: `container.withExec([...])`",
  fs: "a stage has no file system: take a `Directory` or a `File`",
  http: "a stage has no network: fetch with `sources` of `host-sdk`, or in a command",
  https: "a stage has no network: fetch with `sources` of `host-sdk`, or in a command",
  net: "a stage has no network: fetch with `sources` of `host-sdk`, or in a command",
};

/** Writes OUT/app.js, and returns its sources or the mistakes in them. */
export function bundle(esbuild, { root, out, entry, names, classes }) {
  mkdirSync(out, { recursive: true });
  const start = join(out, "entry.mjs");
  writeFileSync(start, glue(join(root, entry), names, classes));
  let built;
  try {
    built = esbuild.buildSync({
      entryPoints: [start],
      absWorkingDir: root,
      alias: { "host-sdk": join(SDK, "index.js") },
      bundle: true,
      external: ["pipeline:*"],
      format: "esm",
      logLevel: "silent",
      metafile: true,
      outfile: join(out, "app.js"),
      sourcemap: "external",
      write: false,
    });
  } catch (error) {
    if (error.errors === undefined) throw error;
    return { sources: [], mistakes: error.errors.map((found) => mistake(root, found)) };
  }
  const [map, app] = built.outputFiles[0].path.endsWith(".map") ? built.outputFiles : built.outputFiles.toReversed();
  const places = JSON.stringify(lines(JSON.parse(map.text), out, root));
  writeFileSync(join(out, "app.js"), `${app.text}\nglobalThis.hostSources = ${places};\n`);
  const files = Object.keys(built.metafile.inputs).map((path) => resolve(root, path));
  const own = (path) => !relative(root, path).startsWith("..") && !path.startsWith(SDK) && path !== start;
  return { sources: files.filter(own), mistakes: [] };
}

function glue(entry, names, classes) {
  const imports = classes.map(({ name }) => name);
  const list = classes.map(({ name, methods }) => `${name}: { cls: ${name}, methods: ${JSON.stringify(methods)} }`);
  return [
    `import author${imports.length ? `, { ${imports.join(", ")} }` : ""} from ${JSON.stringify(entry)};`,
    `import { component } from ${JSON.stringify(join(SDK, "glue.js"))};`,
    `export const stages = component(author, ${JSON.stringify(names)}, { ${list.join(", ")} });`,
    "",
  ].join("\n");
}

function mistake(root, { text, location }) {
  const [, module] = /^Could not resolve "([^"]*)"/.exec(text) ?? [];
  const bare = module?.replace(/^node:/, "");
  const path = location ? relative(root, resolve(root, location.file)) : "";
  const base = { path, line: location?.line ?? 0 };
  if (module === undefined || module.startsWith(".")) return { ...base, message: text, hint: null };
  const hint = INSTEAD[bare.split("/")[0]] ?? "a component has no modules of Node.js; packages of npm that need none can be installed";
  return { ...base, message: `a stage cannot import \`${module}\``, hint };
}

/** Returns the file and the line in it for each line of the bundle that came from the author. */
function lines(map, out, root) {
  const paths = map.sources.map((source) => relative(root, resolve(out, source)));
  const isOwn = paths.map((path) => !path.startsWith("..") && !path.startsWith(".host") && !path.includes("node_modules"));
  const found = [];
  let [source, line] = [0, 0];
  for (const text of map.mappings.split(";")) {
    let first = null;
    for (const segment of text.split(",").filter(Boolean)) {
      const [, nextSource, nextLine] = numbers(segment);
      if (nextSource === undefined) continue;
      source += nextSource;
      line += nextLine;
      first ??= isOwn[source] ? [source, line + 1] : [];
    }
    found.push(first ?? []);
  }
  return { files: paths.map((path, at) => (isOwn[at] ? path : null)), lines: found };
}

/** Decodes the numbers of a segment. Source: ECMA-426, "Source map format", VLQ. */
function numbers(segment) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const values = [];
  let [value, shift] = [0, 0];
  for (const letter of segment) {
    const digit = digits.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    values.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}

