// Generated from the WIT package by the test `sdk`. Do not edit.

import * as raw from "pipeline:api/machine@0.1.0";

export function rootfs() {
  return raw.rootfs();
}
