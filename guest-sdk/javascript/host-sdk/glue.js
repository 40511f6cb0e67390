// Makes what a component exports of the functions and classes that the author wrote.

import { ExecError, HostError } from "./errors.js";

/**
 * Returns the stages and the custom objects as the bindings take them.
 *
 * `names` has the author's names of stages by the names of the bindings, and `classes` the classes with their methods.
 */
export function component(author, names, classes) {
  const made = {};
  for (const [exported, name] of Object.entries(names)) {
    made[exported] = outermost((...args) => author[name](...args.map(absent)));
  }
  for (const [name, { cls, methods }] of Object.entries(classes)) {
    for (const method of methods) {
      const own = cls.prototype[method];
      cls.prototype[method] = outermost(function (...args) {
        return own.apply(this, args.map(absent));
      });
    }
    made[name] = cls;
  }
  return made;
}

/** Returns a value that was not given as JavaScript has it, so that defaults of parameters count. */
function absent(value) {
  return value === null ? undefined : value;
}

let depth = 0;

/** Returns a function that throws errors as the bindings take them, where the caller is not the author's own code. */
function outermost(own) {
  return function (...args) {
    depth += 1;
    try {
      return own.apply(this, args);
    } catch (error) {
      throw depth === 1 ? failure(error) : error;
    } finally {
      depth -= 1;
    }
  };
}

function failure(error) {
  if (error instanceof ExecError) {
    const { command: args, exitCode, stdout: stdoutTail, stderr: stderrTail } = error;
    return { code: error.code, message: error.message, exec: { args, exitCode, stdoutTail, stderrTail }, attributes: error.attributes };
  }
  if (error instanceof HostError) {
    return { code: error.code, message: error.message, exec: undefined, attributes: error.attributes };
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : `${error} was thrown, which is no Error`;
  return { code: "custom", message: [said, ...places(error?.stack ?? "")].join("\n"), exec: undefined, attributes: [] };
}

/** Returns the places in the author's sources that a stack names. */
function places(stack) {
  const { files, lines } = globalThis.hostSources ?? { files: [], lines: [] };
  return stack.split("\n").flatMap((frame) => {
    const [, name, line] = /at (\S+) \(.*:(\d+):\d+\)/.exec(frame) ?? /at ()\S*:(\d+):\d+/.exec(frame) ?? [];
    const [file, at] = lines[Number(line) - 1] ?? [];
    if (files[file] === undefined) return [];
    return [`  at ${files[file]}:${at}${name && name !== "<anonymous>" ? `, in \`${name}\`` : ""}`];
  });
}
