// The module `objects` in JavaScript.

import { Directory } from "pipeline:api/directory@0.1.0";

const failure = (message) => ({ code: "custom", message, exec: undefined, attributes: [] });

class Linter {
  #level;

  constructor(level) {
    this.#level = level ?? 1;
  }

  withLevel(level) {
    return new Linter(level);
  }

  level() {
    return this.#level;
  }

  check() {
    if (this.#level === 0) throw failure("a linter of level 0 checks nothing");
    return `checked at level ${this.#level}`;
  }

  longLines(src, path) {
    const most = Math.max(80 - 10 * this.#level, 0);
    const lines = src.file(path).contents().trimEnd().split("\n");
    return lines.filter((line) => line.length > most);
  }

  stricter(other) {
    return new Linter(Math.max(this.#level, other.#level));
  }

  static strictest() {
    return new Linter(9);
  }
}

const check = (src, name) => {
  const nBytes = src.file(name).size();
  if (nBytes === 0) return { name, verdict: "skipped", message: "it is empty", durationMs: 0 };
  if (nBytes < 100) return { name, verdict: "passed", message: "", durationMs: 0 };
  return { name, verdict: "failed", message: `${nBytes} bytes`, durationMs: 0 };
};

export const stages = {
  Linter,

  describe(linter) {
    return `a linter of level ${linter.level()}`;
  },

  each(levels) {
    return levels.map((level) => new Linter(level));
  },

  sum(lent, more, owned) {
    return [...lent, ...(more ? [more] : []), ...owned].reduce((sum, linter) => sum + linter.level(), 0);
  },

  strict(level) {
    if (level > 9) throw failure(`there is no level ${level}: 9 is the highest`);
    return new Linter(level);
  },

  find(src, linter) {
    return src.glob("**/*.txt").map((path) => ({ path, nLines: linter.longLines(src, path).length }));
  },

  sources() {
    return new Directory().withNewFile("good.txt", "short\n").withNewFile("bad.txt", "long ".repeat(20));
  },

  check(src) {
    return { summary: "text files", cases: src.glob("**/*.txt").map((path) => check(src, path)) };
  },
};
