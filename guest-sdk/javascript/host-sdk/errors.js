// The errors of stages.

/** Why a value could not be had, or why a stage failed. */
export class HostError extends Error {
  constructor(message, code = "custom", attributes = []) {
    super(message);
    this.name = "HostError";
    this.code = code;
    this.attributes = attributes;
  }
}

/** A command ended with an exit code that is a failure. */
export class ExecError extends HostError {
  constructor(message, failure, attributes = []) {
    super(message, "exec", attributes);
    this.name = "ExecError";
    this.command = failure.args;
    this.exitCode = failure.exitCode;
    this.stdout = failure.stdoutTail;
    this.stderr = failure.stderrTail;
  }
}

/** Returns an error of the bindings as one of the SDK. */
export function raised(error) {
  const payload = error?.payload;
  if (payload?.code === undefined) return error;
  const { code, message, exec, attributes } = payload;
  return exec ? new ExecError(message, exec, attributes) : new HostError(message, code, attributes);
}
