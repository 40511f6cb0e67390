// Write the stages of a pipeline as ordinary typed functions.

export * from "./api.js";
export { ExecError, HostError } from "./errors.js";
export { stages, syncAll } from "./runtime.js";
export * as effects from "./effects.js";
export * as log from "./log.js";
export * as machine from "./machine.js";
export * as secretAccess from "./secret-access.js";
export * as sources from "./sources.js";
