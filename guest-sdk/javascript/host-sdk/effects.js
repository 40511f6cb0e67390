// Generated from the WIT package by the test `sdk`. Do not edit.

import * as raw from "pipeline:api/effects@0.1.0";
import { leaf } from "./runtime.js";

export function exportDirectory(tree, path) {
  return leaf(() => raw.exportDirectory(tree, path));
}

export function exportFile(source, path) {
  return leaf(() => raw.exportFile(source, path));
}

export function exportContainer(image, path) {
  return leaf(() => raw.exportContainer(image, path));
}

export function publish(image, address, username, password) {
  return leaf(() => raw.publish(image, address, username, password));
}

export function load(image, name) {
  return leaf(() => raw.load(image, name));
}
