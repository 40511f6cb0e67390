// Generated from the WIT package by the test `sdk`. Do not edit.

import * as raw from "pipeline:api/secret-access@0.1.0";
import { leaf } from "./runtime.js";

export function plaintext(secret) {
  return leaf(() => raw.plaintext(secret));
}
