// Write the stages of a pipeline as ordinary typed functions.

export * from "./api.js";

import type { Container, Directory, File } from "./api.js";

/**
 * Marks the object whose functions are the stages of the module: `export default stages({ ... })`.
 *
 * `host build` reads the types, the comments and the defaults of its functions.
 */
export declare function stages<T extends Record<string, (...args: never[]) => unknown>>(functions: T): T;

/** Evaluates several containers, directories and files at the same time. */
export declare function syncAll(...objects: (Container | Directory | File)[]): void;

/** Why a value could not be had, or why a stage failed. */
export declare class HostError extends Error {
  constructor(message: string, code?: string, attributes?: [string, string][]);
  /** The kind of error, as in `not-found`. */
  readonly code: string;
  /** More about the error, as pairs of texts. */
  readonly attributes: [string, string][];
}

/** A command ended with an exit code that is a failure. */
export declare class ExecError extends HostError {
  readonly command: string[];
  readonly exitCode: number;
  /** The last part of the standard output. */
  readonly stdout: string;
  /** The last part of the standard error. */
  readonly stderr: string;
}
