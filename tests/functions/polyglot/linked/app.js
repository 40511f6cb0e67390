// The module `linked` in JavaScript. The module `objects` that it imports can be in any language.

import * as objects from "local:objects/stages@0.1.0";
import { Directory } from "pipeline:api/directory@0.1.0";

const { Linter } = objects;

export const stages = {
  style(level) {
    const linter = new Linter(level);
    return `${objects.describe(linter)}: ${linter.check()}`;
  },

  everyWay() {
    const linter = new Linter(1).withLevel(2);
    const each = objects.each([3, 4]);
    const strict = objects.strict(5);
    let refused;
    try {
      objects.strict(10);
    } catch (error) {
      refused = error.payload.code;
    }
    if (refused === undefined) {
      throw { code: "custom", message: "a level that does not exist was taken", exec: undefined, attributes: [] };
    }
    const stricter = linter.stricter(strict);
    return objects.sum(each, stricter, [linter, Linter.strictest()]);
  },

  lent() {
    const stricter = new Linter(1).withLevel(2).stricter(objects.strict(5));
    return objects.sum(objects.each([3, 4]), stricter, []);
  },

  findings(src) {
    // A parameter of the type `directory`, and not `borrow<directory>`, consumes this handle.
    const found = objects.find(src.subdirectory("."), new Linter(undefined));
    return [objects.check(src).summary, ...found.map(({ path, nLines }) => `${path}: ${nLines} long lines`)];
  },

  sources() {
    return objects.sources();
  },

  refused() {
    return Linter.strictest().longLines(new Directory(), "nothing.txt");
  },
};
