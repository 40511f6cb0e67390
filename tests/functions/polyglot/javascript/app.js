// Stages in JavaScript.

import { NewOptions } from "pipeline:api/directory@0.1.0";

export const stages = {
  greet(name) {
    return `Hello, ${name ?? "world"}!`;
  },

  build(src) {
    return src.withNewFile("built.txt", "by JavaScript\n");
  },

  names(src) {
    return src.entries(undefined).join(" ");
  },

  missing(src) {
    try {
      return src.file("../outside").contents();
    } catch (error) {
      return error.payload.code;
    }
  },

  written(src) {
    // componentize-qjs takes a u64 as a number, not as a BigInt.
    return src.withNewFileOptions("a", new Uint8Array([1, 255]), new NewOptions()).file("a").read(0, 5);
  },

  reversed(bytes) {
    return bytes.slice().reverse();
  },

  refuse() {
    throw { code: "custom", message: "not today", exec: undefined, attributes: [["day", "monday"]] };
  },

  fail(message) {
    throw new RangeError(message);
  },
};
