// Generated from the WIT package by the test `sdk`. Do not edit.

import * as raw from "pipeline:api/log@0.1.0";

export function emit(level, message) {
  return raw.emit(level, message);
}
