// A module in TypeScript with everything that can cross.

import { ExecError, HostError, log, machine, stages, syncAll, type Directory, type File, type Report } from "host-sdk";
import { shout } from "./text.js";

/** How it is compiled. */
type Mode = "debug" | "release";

/** A file that was found. */
interface Finding {
  path: string;
  sizes: number[];
  mode?: Mode;
}

/** Looks at sources. */
export class Linter {
  #level: number;

  constructor(level = 1) {
    this.#level = level;
  }

  /** Returns the level. */
  level(): number {
    return this.#level;
  }

  /** Returns a linter that is stricter than both. */
  stricter(other: Linter): Linter {
    return new Linter(Math.max(this.#level, other.#level) + 1);
  }
}

/** Builds and tests the shop. */
export default stages({
  /**
   * Returns a greeting.
   *
   * @param name The person to greet.
   * @param times How often.
   */
  greet(name = "world", times = 1, loud = false): string {
    log.emit("debug", "greeting");
    const text = Array(times).fill(`Hello ${name}`).join(", ");
    return loud ? shout(text) : text;
  },

  /** Adds two files. */
  build(src: Directory, mode: Mode = "debug"): Directory {
    return src.withNewFile("a.txt", mode).withNewFile("b", new Uint8Array([255, 0]), { mode: 0o755 });
  },

  /** Returns the permission bits of a file that `build` made. */
  modeOf(build: Directory, path: string): string {
    return `0o${build.stat(path).mode.toString(8)}`;
  },

  findings(src: Directory): Finding[] {
    return src.glob("**").map((path) => ({ path, sizes: [src.file(path).size()], mode: "release" }));
  },

  lint(linters: Linter[]): number {
    return linters.reduce((sum, linter) => sum + linter.level(), 0);
  },

  strictest: (): Linter => new Linter(9).stricter(new Linter(3)),

  pair(both?: [string, number]): [string, number] {
    return both ?? ["none", 0];
  },

  /** Runs two commands at the same time. */
  printed(): string {
    const [left, right] = ["left", "right"].map((word) => machine.rootfs().withExec(["echo", word]));
    syncAll(left, right);
    return left.stdout() + right.withExec(["cat"], { stdin: "right" }).stdout();
  },

  caught(): string {
    try {
      machine.rootfs().withExec(["sh", "-c", "echo out; echo err >&2; exit 7"]).sync();
    } catch (error) {
      if (error instanceof ExecError) return `${error.exitCode} ${error.stdout.trim()} ${error.stderr.trim()}`;
    }
    return "it did not fail";
  },

  missing(src: Directory): string {
    try {
      return src.file("../outside").contents();
    } catch (error) {
      return error instanceof HostError ? error.code : "another error";
    }
  },

  failing(): void {
    machine.rootfs().withExec(["sh", "-c", "echo no >&2; exit 3"]).sync();
  },

  refused(): void {
    throw new HostError("not today", "custom", [["day", "monday"]]);
  },

  broken(): void {
    fall({});
  },

  notAList(): void {
    machine.rootfs().withExec("make" as unknown as string[]);
  },

  /**
   * Runs the tests.
   *
   * @check
   */
  tests(): Report {
    const passed = { name: "a", verdict: "passed", message: "", durationMs: 1 } as const;
    return { summary: "two cases", cases: [passed, { ...passed, name: "b", verdict: "skipped" }] };
  },
});

function fall(things: { missing?: { name: string } }): string {
  return things.missing!.name;
}
