// A program that contains a whole pipeline, like tests/functions/program in Rust.

import { Directory } from "pipeline:api/directory@0.1.0";
import { rootfs } from "pipeline:api/machine@0.1.0";
import { getArguments } from "wasi:cli/environment@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";

// There is no `console` and no `TextEncoder`; a write takes at most 4096 bytes.
const print = (line) => {
  const bytes = Array.from(unescape(encodeURIComponent(`${line}\n`)), (byte) => byte.charCodeAt(0));
  const stdout = getStdout();
  for (let at = 0; at < bytes.length; at += 4096) stdout.blockingWriteAndFlush(bytes.slice(at, at + 4096));
};

// Returns one container for each name, with its greeting in `/out`.
const build = (sources, names) => {
  const root = rootfs().withDirectory("/src", sources).withWorkdir("/src");
  const script = 'mkdir /out; sh greet.sh "$0" > "/out/$0"';
  return names.map((name) => root.withExec(["sh", "-e", "-c", script, name]));
};

// Evaluates all of them at the same time, and returns the greetings.
const test = (built) => {
  built.forEach((container) => container.start());
  return built.map((container) => container.withExec(["sh", "-c", "cat /out/*"]).stdout());
};

// Returns one directory with all greetings.
const pack = (built, names) =>
  new Directory().withFiles("/", built.map((container, n) => container.file(`/out/${names[n]}`)));

export const run = {
  run() {
    const [, ...names] = getArguments();
    if (names.length === 0) {
      print("nobody to greet: give names as arguments");
      throw undefined;
    }
    const built = build(new Directory().withNewFile("greet.sh", 'echo "hello, $1"\n'), names);
    print(`testing ${names.length} greetings`);
    test(built).forEach((greeting, n) => print(`${names[n]}: ${greeting.trimEnd()}`));
    print(`packed ${pack(built, names).entries(undefined).length} files`);
  },
};
