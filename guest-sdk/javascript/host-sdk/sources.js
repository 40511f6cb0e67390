// Generated from the WIT package by the test `sdk`. Do not edit.

import * as raw from "pipeline:api/sources@0.1.0";

export function git(url, reference) {
  return raw.git(url, reference);
}

export function http(url, sha256) {
  return raw.http(url, sha256);
}
