// What the generated classes share: methods with options and with errors of the SDK.

import { raised } from "./errors.js";

/** Marks the object whose functions are the stages of the module. `host build` reads it in the sources. */
export function stages(functions) {
  return functions;
}

/** Evaluates several containers, directories and files at the same time. */
export function syncAll(...objects) {
  for (const object of objects) object.start();
  for (const object of objects) object.sync();
}

/** Returns what a function returns that can fail; throws its error as one of the SDK. */
export function leaf(call) {
  try {
    return call();
  } catch (error) {
    throw raised(error);
  }
}

/**
 * Changes methods of a class of the bindings.
 *
 * `n` is the number of arguments of a method. `options` is the class that collects its options, and `keywords` has the
 * methods of that class by the names of options; with `twin` they go to another method. `lists` has the arguments that
 * are lists. With `bytes` an argument is a text or bytes, and with `pairs` the result is an object of texts.
 */
export function methods(cls, table) {
  for (const [name, how] of Object.entries(table)) {
    const plain = cls.prototype[name];
    const twin = how.twin === undefined ? plain : cls.prototype[how.twin];
    cls.prototype[name] = function (...args) {
      const given = Array.from({ length: how.n }, (_, at) => args[at]);
      for (const at of how.lists ?? []) expectList(name, given[at]);
      const chosen = how.options && collected(name, how, args[how.n]);
      const call = () => {
        const isPlain = how.twin !== undefined && chosen === undefined && typeof given[how.bytes] !== "object";
        if (how.options === undefined || isPlain) return plain.apply(this, given);
        const passed = given.map((value, at) => (at === how.bytes ? encoded(value) : value));
        return twin.call(this, ...passed, chosen ?? new how.options());
      };
      const result = how.leaf ? leaf(call) : call();
      return how.pairs ? Object.fromEntries(result) : result;
    };
  }
}

function collected(name, how, options = {}) {
  let made;
  for (const [key, value] of Object.entries(options)) {
    const method = how.keywords[key];
    if (method === undefined) {
      throw new TypeError(`\`${name}\` has no option \`${key}\`; it has: ${Object.keys(how.keywords).join(", ")}`);
    }
    if (value === undefined || value === false) continue;
    made ??= new how.options();
    if (value === true) made = made[method]();
    else if (how.several?.includes(key)) for (const pair of Object.entries(value)) made = made[method](...pair);
    else made = made[method](value);
  }
  return made;
}

function expectList(name, value) {
  if (typeof value === "string") {
    throw new TypeError(`\`${name}\` takes a list, and not one text: write [${JSON.stringify(value)}]`);
  }
}

/** Returns a text as UTF-8. The engine that runs stages has no `TextEncoder`. */
function encoded(value) {
  if (typeof value !== "string") return value;
  const escaped = unescape(encodeURIComponent(value));
  return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0));
}
