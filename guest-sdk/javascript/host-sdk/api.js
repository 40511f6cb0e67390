// Generated from the WIT package by the test `sdk`. Do not edit.

import { CacheVolume } from "pipeline:api/cache@0.1.0";
import { BuildOptions, Container, ExecOptions, MountOptions } from "pipeline:api/container@0.1.0";
import { CopyOptions, Directory, NewOptions, SearchOptions } from "pipeline:api/directory@0.1.0";
import { File } from "pipeline:api/file@0.1.0";
import { Secret } from "pipeline:api/secret@0.1.0";
import { Service } from "pipeline:api/service@0.1.0";
import { methods } from "./runtime.js";

methods(File, {
  contents: { n: 0, leaf: true },
  read: { n: 2, leaf: true },
  size: { n: 0, leaf: true },
  digest: { n: 0, leaf: true },
  stat: { n: 0, leaf: true },
  sync: { n: 0, leaf: true },
});

methods(Directory, {
  withNewFile: { n: 2, twin: "withNewFileOptions", options: NewOptions, keywords: { mode: "withMode", specialBits: "withSpecialBits", owner: "withOwner", inheritOwner: "inheritOwner" }, bytes: 1 },
  withNewDirectory: { n: 1, twin: "withNewDirectoryOptions", options: NewOptions, keywords: { mode: "withMode", specialBits: "withSpecialBits", owner: "withOwner", inheritOwner: "inheritOwner" } },
  withFile: { n: 2, twin: "withFileOptions", options: CopyOptions, keywords: { include: "withInclude", exclude: "withExclude", owner: "withOwner", inheritOwner: "inheritOwner", mode: "withMode" } },
  withFiles: { n: 2, lists: [1] },
  withDirectory: { n: 2, twin: "withDirectoryOptions", options: CopyOptions, keywords: { include: "withInclude", exclude: "withExclude", owner: "withOwner", inheritOwner: "inheritOwner", mode: "withMode" } },
  withoutFiles: { n: 1, lists: [0] },
  filter: { n: 2, lists: [0, 1] },
  merge: { n: 1, lists: [0] },
  entries: { n: 1, leaf: true },
  glob: { n: 1, leaf: true },
  search: { n: 1, leaf: true, options: SearchOptions, keywords: { literal: "literal", insensitive: "insensitive", globs: "withGlobs", limit: "withLimit", filesOnly: "filesOnly", skipHidden: "skipHidden" } },
  searchMatches: { n: 1, leaf: true, options: SearchOptions, keywords: { literal: "literal", insensitive: "insensitive", globs: "withGlobs", limit: "withLimit", filesOnly: "filesOnly", skipHidden: "skipHidden" } },
  exists: { n: 1, leaf: true },
  findUp: { n: 2, leaf: true },
  stat: { n: 1, leaf: true },
  digest: { n: 0, leaf: true },
  sync: { n: 0, leaf: true },
});

methods(Service, {
  up: { n: 0, leaf: true },
  endpoint: { n: 2, leaf: true },
  stop: { n: 0, leaf: true },
});

methods(Container, {
  importImage: { n: 2 },
  importLayout: { n: 2 },
  build: { n: 1, options: BuildOptions, keywords: { dockerfile: "withDockerfile", target: "withTarget", arguments: "withArgument" }, several: ["arguments"] },
  withEntrypoint: { n: 1, lists: [0] },
  withDefaultArgs: { n: 1, lists: [0] },
  withNewFile: { n: 2, twin: "withNewFileOptions", options: NewOptions, keywords: { mode: "withMode", specialBits: "withSpecialBits", owner: "withOwner", inheritOwner: "inheritOwner" }, bytes: 1 },
  withFile: { n: 2, twin: "withFileOptions", options: CopyOptions, keywords: { include: "withInclude", exclude: "withExclude", owner: "withOwner", inheritOwner: "inheritOwner", mode: "withMode" } },
  withFiles: { n: 2, lists: [1] },
  withDirectory: { n: 2, twin: "withDirectoryOptions", options: CopyOptions, keywords: { include: "withInclude", exclude: "withExclude", owner: "withOwner", inheritOwner: "inheritOwner", mode: "withMode" } },
  withoutFiles: { n: 1, lists: [0] },
  withMountedDirectory: { n: 2, twin: "withMountedDirectoryOptions", options: MountOptions, keywords: { readOnly: "readOnly", owner: "withOwner", mode: "withMode", size: "withSize", sharing: "withSharing", seed: "withSeed" } },
  withMountedCache: { n: 2, twin: "withMountedCacheOptions", options: MountOptions, keywords: { readOnly: "readOnly", owner: "withOwner", mode: "withMode", size: "withSize", sharing: "withSharing", seed: "withSeed" } },
  withMountedSecret: { n: 2, twin: "withMountedSecretOptions", options: MountOptions, keywords: { readOnly: "readOnly", owner: "withOwner", mode: "withMode", size: "withSize", sharing: "withSharing", seed: "withSeed" } },
  withMountedTemp: { n: 1, twin: "withMountedTempOptions", options: MountOptions, keywords: { readOnly: "readOnly", owner: "withOwner", mode: "withMode", size: "withSize", sharing: "withSharing", seed: "withSeed" } },
  withExec: { n: 1, twin: "withExecOptions", options: ExecOptions, keywords: { stdin: "withStdin", redirectStdin: "withRedirectStdin", redirectStdout: "withRedirectStdout", redirectStderr: "withRedirectStderr", expectedCodes: "withExpectedCodes", anyCode: "withAnyCode", timeoutSeconds: "withTimeoutSeconds", withoutNetwork: "withoutNetwork", withoutNewPrivileges: "withoutNewPrivileges", withoutCache: "withoutCache", useEntrypoint: "useEntrypoint", expand: "expand", memoryLimit: "withMemoryLimit", processLimit: "withProcessLimit", cpuLimit: "withCpuLimit" }, lists: [0] },
  stdout: { n: 0, leaf: true },
  stderr: { n: 0, leaf: true },
  combinedOutput: { n: 0, leaf: true },
  exitCode: { n: 0, leaf: true },
  envVariable: { n: 1, leaf: true },
  envVariables: { n: 0, leaf: true, pairs: true },
  entrypoint: { n: 0, leaf: true },
  defaultArgs: { n: 0, leaf: true },
  user: { n: 0, leaf: true },
  workdir: { n: 0, leaf: true },
  platform: { n: 0, leaf: true },
  label: { n: 1, leaf: true },
  labels: { n: 0, leaf: true, pairs: true },
  annotations: { n: 0, leaf: true, pairs: true },
  exposedPorts: { n: 0, leaf: true },
  mounts: { n: 0, leaf: true },
  imageRef: { n: 0, leaf: true },
  exists: { n: 1, leaf: true },
  sync: { n: 0, leaf: true },
});

export { CacheVolume, File, Directory, Secret, Service, Container };
