// Generated from the WIT package by the test `sdk`. Do not edit.

/** How commands that run at the same time use one cache volume. */
export type CacheSharing = "shared" | "locked" | "private";

/** The properties of a file, a directory or a symbolic link. */
export interface Stat {
  /** The last component of the path. */
  name: string;
  /** `file`, `directory`, `symlink` or `other`. */
  kind: string;
  /**
   * The size in bytes: of the contents of a file, or of the target of a link;
   * 0 for a directory.
   */
  size: number;
  /** The permission bits, such as `0o644`. */
  mode: number;
}

/** One match of `search`. */
export interface SearchResult {
  /** The path of the file, relative to the directory that was searched. */
  path: string;
  /** The number of the line, counted from 1. */
  line: number;
  /** The whole line, without its line ending. */
  text: string;
}

/** A part of a line that matches. */
export interface MatchPart {
  /** The first byte of the part, counted from 0 in the line. */
  start: number;
  /** The byte behind the part. */
  end: number;
}

/** One match of `searchMatches`. */
export interface SearchMatch {
  /** The path of the file, relative to the directory that was searched. */
  path: string;
  /** The number of the line, counted from 1. */
  line: number;
  /** The whole line, without its line ending. */
  text: string;
  /** The number of bytes of the file before the line. */
  offset: number;
  /** The parts of the line that match, in their order. */
  parts: MatchPart[];
}

/** The importance of a message. */
export type Level = "debug" | "info" | "warn" | "error";

/** The result of a case. */
export type Verdict = "passed" | "failed" | "skipped";

/** One case of a check. */
export interface TestCase {
  /**
   * The name of the case. It should contain the file or the suite if that
   * helps a reader to find the case.
   */
  name: string;
  /** The result of the case. */
  verdict: Verdict;
  /** The reason for the verdict; empty if there is nothing to say. */
  message: string;
  /** The duration in milliseconds. */
  durationMs: number;
}

/** The result of a check. The check fails if a case failed. */
export interface Report {
  /** A summary in one sentence. */
  summary: string;
  /** The cases, in the order in which they ran. */
  cases: TestCase[];
}

/** The transport protocol of a port. */
export type Protocol = "tcp" | "udp";

/** A port on which the service of a container listens. */
export interface Port {
  /** The number of the port. */
  number: number;
  /** The transport protocol. */
  protocol: Protocol;
}

/**
 * A named directory that is kept between runs, for downloads and for the caches
 * of compilers. Its contents are not part of any cache key.
 */
export declare class CacheVolume {
  /** Returns the volume with this key. Equal keys mean the same volume. */
  constructor(key: string);

  /** Returns the key of the volume. */
  key(): string;
}

/**
 * A file that may not exist yet. Where the path is that of a symbolic link, each
 * method reads the file that the link leads to.
 */
export declare class File {
  /**
   * Returns a file with this name and these contents, with mode 0644.
   *
   * The name is a single path component. If it contains a `/`, a LEAF fails
   * with `invalid-path`.
   */
  constructor(name: string, contents: string);

  /**
   * Returns the digest of the definition, which identifies what was asked for
   * and not the contents.
   */
  id(): string;

  /** Returns the last component of the path. */
  name(): string;

  /** Returns the file under another name. */
  withName(name: string): File;

  /**
   * Returns the file with `search` replaced by `replacement`: every occurrence
   * if `all` is true, and otherwise the only one.
   *
   * A LEAF fails with `not-found` if the text does not occur, and with
   * `invalid-argument` if it occurs more than once and `all` is false.
   */
  withReplaced(search: string, replacement: string, all: boolean): File;

  /**
   * Returns the contents as text.
   *
   * Fails with `not-found` if the file does not exist, with `not-a-file` if it
   * is something else, and with `invalid-argument` if the contents are not
   * UTF-8 or exceed 128 MiB. Use `read` for such files.
   */
  contents(): string;

  /**
   * Returns at most `max` bytes, starting at the byte `offset`. The list
   * is empty if `offset` is at or after the end.
   */
  read(offset: number, max: number): Uint8Array;

  /** Returns the size in bytes. */
  size(): number;

  /** Returns the digest of the contents: `blake3:` and 64 hex digits. */
  digest(): string;

  /** Returns the properties of the file without reading it. */
  stat(): Stat;

  /** Evaluates the file, and fails if that fails. */
  sync(): void;

  /**
   * Starts to evaluate the file in the background and returns at once. A later
   * LEAF waits for the same evaluation.
   */
  start(): void;
}

/**
 * A directory that may not exist yet. Each method returns another directory and
 * leaves this one as it is.
 *
 * Paths are relative to the directory, and a leading `/` means the directory
 * itself. If a path leaves the directory through `..`, a LEAF fails with
 * `invalid-path`.
 */
export declare class Directory {
  /** Returns an empty directory. */
  constructor();

  /**
   * Returns the digest of the definition, which identifies what was asked for
   * and not the contents.
   */
  id(): string;

  /**
   * Returns the last component of the path, followed by `/`; `/` for the root of
   * a tree.
   */
  name(): string;

  /** Returns the file at `path`. */
  file(path: string): File;

  /** Returns the directory at `path`. */
  subdirectory(path: string): Directory;

  /**
   * Adds a file with these contents at `path`, with mode 0644. Missing parent
   * directories are created.
   */
  withNewFile(path: string, contents: string | Uint8Array, options?: {
    /**
     * Sets the permission bits. A file gets the nine bits `0o777` of them, and a
     * directory also the others, such as `0o1777`.
     */
    mode?: number;
    /**
     * Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
     * as in `0o4755`.
     */
    specialBits?: boolean;
    /** Sets the owner, in the form of `copy-options.with-owner`. */
    owner?: string;
    /** Sets the owner as `copy-options.inherit-owner` does. */
    inheritOwner?: boolean;
  }): Directory;

  /**
   * Adds an empty directory at `path`, with mode 0755. Missing parent
   * directories are created. A directory that exists stays as it is.
   */
  withNewDirectory(path: string, options?: {
    /**
     * Sets the permission bits. A file gets the nine bits `0o777` of them, and a
     * directory also the others, such as `0o1777`.
     */
    mode?: number;
    /**
     * Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
     * as in `0o4755`.
     */
    specialBits?: boolean;
    /** Sets the owner, in the form of `copy-options.with-owner`. */
    owner?: string;
    /** Sets the owner as `copy-options.inherit-owner` does. */
    inheritOwner?: boolean;
  }): Directory;

  /**
   * Adds a copy of the file at `path`. If `path` ends with `/`, or if a
   * directory exists there, the file goes into that directory under its own
   * name.
   */
  withFile(path: string, source: File, options?: {
    /**
     * Copies only what matches one of the patterns. The syntax is that of
     * `.dockerignore`: a pattern is relative to the source directory, `**` matches
     * any number of directories, and a leading `!` excludes again.
     */
    include?: string[];
    /**
     * Leaves out what matches one of the patterns, in the same syntax. It takes
     * precedence over `with-include`.
     */
    exclude?: string[];
    /**
     * Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
     * looked up in `/etc/passwd` and `/etc/group` of the target.
     */
    owner?: string;
    /**
     * Gives everything that is copied into a container to the user of its commands,
     * if no other owner is set. Without a container it changes nothing.
     */
    inheritOwner?: boolean;
    /**
     * Sets the permission bits of all copied files. Directories get the same bits,
     * with execute permission wherever they have read permission.
     */
    mode?: number;
  }): Directory;

  /** Adds a copy of each file to the directory at `path`. */
  withFiles(path: string, sources: File[]): Directory;

  /**
   * Adds the contents of a directory at `path`, and merges them with what exists
   * there. Where both have an entry, the added one replaces the other.
   */
  withDirectory(path: string, source: Directory, options?: {
    /**
     * Copies only what matches one of the patterns. The syntax is that of
     * `.dockerignore`: a pattern is relative to the source directory, `**` matches
     * any number of directories, and a leading `!` excludes again.
     */
    include?: string[];
    /**
     * Leaves out what matches one of the patterns, in the same syntax. It takes
     * precedence over `with-include`.
     */
    exclude?: string[];
    /**
     * Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
     * looked up in `/etc/passwd` and `/etc/group` of the target.
     */
    owner?: string;
    /**
     * Gives everything that is copied into a container to the user of its commands,
     * if no other owner is set. Without a container it changes nothing.
     */
    inheritOwner?: boolean;
    /**
     * Sets the permission bits of all copied files. Directories get the same bits,
     * with execute permission wherever they have read permission.
     */
    mode?: number;
  }): Directory;

  /**
   * Adds a symbolic link at `link-name` that points to `target`. The target does
   * not have to exist. If something exists at `link-name`, a LEAF fails with
   * `invalid-argument`.
   */
  withSymlink(target: string, linkName: string): Directory;

  /**
   * Removes the file at `path`, or all files that match `path` as a glob. If
   * there is none, nothing happens. If a directory matches, a LEAF fails with
   * `invalid-argument`.
   */
  withoutFile(path: string): Directory;

  /** Removes each of these files, as `withoutFile` does. */
  withoutFiles(paths: string[]): Directory;

  /**
   * Removes the directory at `path`, or all directories that match `path` as a
   * glob. If there is none, nothing happens. If something else is at `path`, a LEAF
   * fails with `invalid-argument`.
   */
  withoutDirectory(path: string): Directory;

  /**
   * Keeps only what matches one of `includes` (everything if the list is empty)
   * and none of `excludes`. The syntax is that of `copy-options.with-include`.
   */
  filter(includes: string[], excludes: string[]): Directory;

  /**
   * Returns the entries of `other` that this directory does not have, or has
   * with other contents or properties.
   */
  diff(other: Directory): Directory;

  /**
   * Adds the contents of each directory in `others`, in their order. Where both
   * have an entry, the later one replaces the earlier one.
   */
  merge(others: Directory[]): Directory;

  /** Gives everything at and below `path` to `owner`, a `uid` or `uid:gid`. */
  withOwner(path: string, owner: string): Directory;

  /**
   * Sets all modification times to this number of seconds after 1970-01-01
   * 00:00:00 UTC.
   */
  withTimestamps(seconds: number): Directory;

  /**
   * Returns the sorted names of the entries of the directory, or of the
   * directory at `path`. Names of directories end with `/`.
   */
  entries(path?: string): string[];

  /**
   * Returns the sorted paths that match the pattern. `*` matches within
   * one directory, `**` matches any number of directories, and `?`, `[a-z]` and
   * `{a,b}` work as in a shell. Paths of directories end with `/`.
   */
  glob(pattern: string): string[];

  /** Returns the lines that match the pattern, ordered by path and line. */
  search(pattern: string, options?: {
    /** Takes the pattern as plain text. */
    literal?: boolean;
    /** Ignores the difference between upper and lower case. */
    insensitive?: boolean;
    /** Searches only the files whose path matches one of these globs. */
    globs?: string[];
    /** Stops after this many matches. */
    limit?: number;
    /** Returns each file once, with its first match. */
    filesOnly?: boolean;
    /**
     * Leaves out files whose name begins with a dot, and everything in directories
     * whose name does.
     */
    skipHidden?: boolean;
  }): SearchResult[];

  /**
   * Returns the same lines as `search`, with their places in the file and the
   * parts that match.
   */
  searchMatches(pattern: string, options?: {
    /** Takes the pattern as plain text. */
    literal?: boolean;
    /** Ignores the difference between upper and lower case. */
    insensitive?: boolean;
    /** Searches only the files whose path matches one of these globs. */
    globs?: string[];
    /** Stops after this many matches. */
    limit?: number;
    /** Returns each file once, with its first match. */
    filesOnly?: boolean;
    /**
     * Leaves out files whose name begins with a dot, and everything in directories
     * whose name does.
     */
    skipHidden?: boolean;
  }): SearchMatch[];

  /**
   * Returns whether something exists at `path`. A symbolic link is not
   * followed.
   */
  exists(path: string): boolean;

  /**
   * Looks for an entry of this name in the directory `start`, and then in each
   * directory above it up to this one. Returns the path of the first, or nothing.
   * Without `start` only this directory is looked in.
   */
  findUp(name: string, start?: string): string | undefined;

  /**
   * Returns the properties of the entry at `path`. A symbolic link is not
   * followed.
   */
  stat(path: string): Stat;

  /**
   * Returns the digest of the tree. It covers names, contents, modes,
   * owners and link targets, and those times that `withTimestamps` set.
   */
  digest(): string;

  /** Evaluates the directory, and fails if that fails. */
  sync(): void;

  /**
   * Starts to evaluate the directory in the background and returns at once. A
   * later LEAF waits for the same evaluation.
   */
  start(): void;
}

/**
 * A secret that the caller of the stage provides.
 *
 * Its value is not part of any digest or cache key, which have at most a hash of it
 * with a key that only this machine's store has, and is replaced by `***` in the
 * output of commands.
 */
export declare class Secret {
  private constructor();

  /** Returns the name of the secret: the name of the flag that provided it. */
  name(): string;
}

/** A container that starts when it is needed, and stops after its last user. */
export declare class Service {
  private constructor();

  /** Returns the host name under which containers reach the service. */
  hostname(): string;

  /** Returns the same service under this host name. */
  withHostname(hostname: string): Service;

  /**
   * Starts the service and waits until its exposed ports accept
   * connections.
   */
  up(): void;

  /**
   * Returns the address `hostname:port`, preceded by `scheme://` if
   * `scheme` is given. Without `port`, it is the first exposed port.
   */
  endpoint(port?: number, scheme?: string): string;

  /** Stops the service. */
  stop(): void;
}

/**
 * A container that may not exist yet: a root file system, a configuration, and the
 * commands to run. Each method returns another container and leaves this one as it
 * is.
 *
 * Nothing runs until a value is read. Relative paths are relative to the working
 * directory. If a path leaves the root, the LEAF that needs it fails with
 * `invalid-path`.
 */
export declare class Container {
  /**
   * Returns a container with an empty root file system, for the platform of this
   * machine.
   */
  constructor();

  /** Returns the digest of the definition, which identifies what was asked for. */
  id(): string;

  /**
   * Sets the platform, such as `linux/arm64`. A command can run only on the
   * platform of this machine.
   */
  withPlatform(platform: string): Container;

  /**
   * Replaces the root file system and the configuration by those of an image.
   * Variables, labels and ports that were set before stay unless the image sets
   * them.
   *
   * `address` is a reference as Docker accepts it, or `docker-daemon:NAME` for
   * an image of the local Docker. A tag means the same image for the whole run.
   */
  fromImage(address: string): Container;

  /**
   * Replaces the root file system and the configuration by those of an image in
   * a file, which is an OCI archive or a file that `docker save` wrote. `tag`
   * selects one of several images.
   */
  importImage(source: File, tag?: string): Container;

  /** Does the same for an image in the directory of an OCI layout. */
  importLayout(source: Directory, tag?: string): Container;

  /**
   * Builds the Dockerfile in the directory `context`, and returns the resulting
   * container.
   */
  build(context: Directory, options?: {
    /** Sets the path of the Dockerfile in the build context. */
    dockerfile?: string;
    /** Sets the stage of the Dockerfile to build. */
    target?: string;
    /** Sets a build argument. */
    arguments?: Record<string, string>;
  }): Container;

  /** Replaces the root file system by this directory. */
  withRootfs(source: Directory): Container;

  /** Returns the root file system, without what is mounted. */
  rootfs(): Directory;

  /**
   * Sets an environment variable. If it exists, its value is replaced and its
   * position stays.
   */
  withEnvVariable(name: string, value: string): Container;

  /**
   * Sets an environment variable, after replacing `$NAME` and `${NAME}` in the
   * value by variables of the container.
   */
  withEnvVariableExpanded(name: string, value: string): Container;

  /** Removes an environment variable. */
  withoutEnvVariable(name: string): Container;

  /**
   * Sets an environment variable to the value of a secret, which only commands
   * see.
   */
  withSecretVariable(name: string, value: Secret): Container;

  /** Removes a secret variable. */
  withoutSecretVariable(name: string): Container;

  /**
   * Sets a variable that commands see and that is part of no cache key, such as the
   * number of a build: with another value, no command runs again. It hides a
   * variable and a secret of its name, and is in no image. In one run, only the
   * first of two commands that differ in it alone is executed.
   */
  withVolatileVariable(name: string, value: string): Container;

  /** Removes a volatile variable. */
  withoutVolatileVariable(name: string): Container;

  /** Sets the working directory, and creates it if it does not exist. */
  withWorkdir(path: string): Container;

  /** Sets the working directory to `/`. */
  withoutWorkdir(): Container;

  /** Sets the user of commands: `name`, `name:group`, `uid` or `uid:gid`. */
  withUser(user: string): Container;

  /** Sets the user of commands to root. */
  withoutUser(): Container;

  /** Sets the entrypoint and removes the default arguments. */
  withEntrypoint(args: string[]): Container;

  /** Removes the entrypoint and the default arguments. */
  withoutEntrypoint(): Container;

  /** Sets the arguments of a command that has none. */
  withDefaultArgs(args: string[]): Container;

  /** Removes the default arguments. */
  withoutDefaultArgs(): Container;

  /** Sets a label of the image. */
  withLabel(name: string, value: string): Container;

  /** Removes a label. */
  withoutLabel(name: string): Container;

  /** Sets an annotation of the image manifest. */
  withAnnotation(name: string, value: string): Container;

  /** Removes an annotation. */
  withoutAnnotation(name: string): Container;

  /** Adds a port on which the service of the container listens. */
  withExposedPort(port: number, protocol: Protocol): Container;

  /** Removes an exposed port. */
  withoutExposedPort(port: number, protocol: Protocol): Container;

  /**
   * Adds a file with these contents at `path`, with mode 0644. Missing parent
   * directories are created.
   */
  withNewFile(path: string, contents: string | Uint8Array, options?: {
    /**
     * Sets the permission bits. A file gets the nine bits `0o777` of them, and a
     * directory also the others, such as `0o1777`.
     */
    mode?: number;
    /**
     * Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
     * as in `0o4755`.
     */
    specialBits?: boolean;
    /** Sets the owner, in the form of `copy-options.with-owner`. */
    owner?: string;
    /** Sets the owner as `copy-options.inherit-owner` does. */
    inheritOwner?: boolean;
  }): Container;

  /** Adds an empty directory at `path`, with mode 0755. */
  withNewDirectory(path: string): Container;

  /**
   * Adds a copy of the file at `path`. If `path` ends with `/`, or if a
   * directory exists there, the file goes into that directory under its own
   * name.
   */
  withFile(path: string, source: File, options?: {
    /**
     * Copies only what matches one of the patterns. The syntax is that of
     * `.dockerignore`: a pattern is relative to the source directory, `**` matches
     * any number of directories, and a leading `!` excludes again.
     */
    include?: string[];
    /**
     * Leaves out what matches one of the patterns, in the same syntax. It takes
     * precedence over `with-include`.
     */
    exclude?: string[];
    /**
     * Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
     * looked up in `/etc/passwd` and `/etc/group` of the target.
     */
    owner?: string;
    /**
     * Gives everything that is copied into a container to the user of its commands,
     * if no other owner is set. Without a container it changes nothing.
     */
    inheritOwner?: boolean;
    /**
     * Sets the permission bits of all copied files. Directories get the same bits,
     * with execute permission wherever they have read permission.
     */
    mode?: number;
  }): Container;

  /** Adds a copy of each file to the directory at `path`. */
  withFiles(path: string, sources: File[]): Container;

  /**
   * Adds a copy of the contents of a directory at `path`, and merges them with
   * what exists there.
   */
  withDirectory(path: string, source: Directory, options?: {
    /**
     * Copies only what matches one of the patterns. The syntax is that of
     * `.dockerignore`: a pattern is relative to the source directory, `**` matches
     * any number of directories, and a leading `!` excludes again.
     */
    include?: string[];
    /**
     * Leaves out what matches one of the patterns, in the same syntax. It takes
     * precedence over `with-include`.
     */
    exclude?: string[];
    /**
     * Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
     * looked up in `/etc/passwd` and `/etc/group` of the target.
     */
    owner?: string;
    /**
     * Gives everything that is copied into a container to the user of its commands,
     * if no other owner is set. Without a container it changes nothing.
     */
    inheritOwner?: boolean;
    /**
     * Sets the permission bits of all copied files. Directories get the same bits,
     * with execute permission wherever they have read permission.
     */
    mode?: number;
  }): Container;

  /** Adds a symbolic link at `link-name` that points to `target`. */
  withSymlink(target: string, linkName: string): Container;

  /**
   * Removes the file at `path`. If there is none, nothing happens. If it is a
   * directory, a LEAF fails with `invalid-argument`.
   */
  withoutFile(path: string): Container;

  /** Removes each of these files. */
  withoutFiles(paths: string[]): Container;

  /**
   * Removes the directory at `path`. If there is none, nothing happens. If it is
   * something else, a LEAF fails with `invalid-argument`.
   */
  withoutDirectory(path: string): Container;

  /**
   * Mounts a directory at `path`, which hides what exists there. Commands may
   * change it; later commands and `directory` see the changes, and the root file
   * system does not contain them.
   */
  withMountedDirectory(path: string, source: Directory, options?: {
    /** Makes a mounted directory read-only. */
    readOnly?: boolean;
    /** Sets the owner: `uid`, `uid:gid`, or names from the container. */
    owner?: string;
    /** Sets the permission bits of a secret or of a temporary directory. */
    mode?: number;
    /** Limits the size of a temporary directory, in bytes. */
    size?: number;
    /** Sets how commands share a cache volume. The default is `shared`. */
    sharing?: CacheSharing;
    /** Sets the initial contents of a cache volume that is empty. */
    seed?: Directory;
  }): Container;

  /** Mounts a file at `path`, read-only. */
  withMountedFile(path: string, source: File): Container;

  /** Mounts a cache volume at `path`. */
  withMountedCache(path: string, cache: CacheVolume, options?: {
    /** Makes a mounted directory read-only. */
    readOnly?: boolean;
    /** Sets the owner: `uid`, `uid:gid`, or names from the container. */
    owner?: string;
    /** Sets the permission bits of a secret or of a temporary directory. */
    mode?: number;
    /** Limits the size of a temporary directory, in bytes. */
    size?: number;
    /** Sets how commands share a cache volume. The default is `shared`. */
    sharing?: CacheSharing;
    /** Sets the initial contents of a cache volume that is empty. */
    seed?: Directory;
  }): Container;

  /** Mounts a secret as a file at `path`, with mode 0400. Only commands see it. */
  withMountedSecret(path: string, source: Secret, options?: {
    /** Makes a mounted directory read-only. */
    readOnly?: boolean;
    /** Sets the owner: `uid`, `uid:gid`, or names from the container. */
    owner?: string;
    /** Sets the permission bits of a secret or of a temporary directory. */
    mode?: number;
    /** Limits the size of a temporary directory, in bytes. */
    size?: number;
    /** Sets how commands share a cache volume. The default is `shared`. */
    sharing?: CacheSharing;
    /** Sets the initial contents of a cache volume that is empty. */
    seed?: Directory;
  }): Container;

  /**
   * Mounts an empty directory in memory at `path`, with mode 1777. Each command
   * gets a new one.
   */
  withMountedTemp(path: string, options?: {
    /** Makes a mounted directory read-only. */
    readOnly?: boolean;
    /** Sets the owner: `uid`, `uid:gid`, or names from the container. */
    owner?: string;
    /** Sets the permission bits of a secret or of a temporary directory. */
    mode?: number;
    /** Limits the size of a temporary directory, in bytes. */
    size?: number;
    /** Sets how commands share a cache volume. The default is `shared`. */
    sharing?: CacheSharing;
    /** Sets the initial contents of a cache volume that is empty. */
    seed?: Directory;
  }): Container;

  /** Removes the mount at `path`, so that what it hid is visible again. */
  withoutMount(path: string): Container;

  /**
   * Starts a service before each command, which reaches it under the host name
   * `alias`.
   */
  withServiceBinding(alias: string, service: Service): Container;

  /**
   * Adds a command that runs in the container as it is at this point. Without
   * arguments, the default arguments are the command.
   *
   * Equal commands in equal containers run at most once.
   */
  withExec(args: string[], options?: {
    /** Sets the text of the standard input, which is empty by default. */
    stdin?: string;
    /**
     * Reads the standard input from a file of the container. If there is none, a LEAF
     * fails with `not-found`; if `with-stdin` is also set, with `invalid-argument`.
     */
    redirectStdin?: string;
    /**
     * Also writes the standard output to this file of the container, with secrets
     * replaced. The path is relative to the working directory.
     */
    redirectStdout?: string;
    /**
     * Also writes the standard error to this file of the container, with secrets
     * replaced. The path is relative to the working directory.
     */
    redirectStderr?: string;
    /** Sets the exit codes that are not a failure. */
    expectedCodes?: number[];
    /** Accepts every exit code. */
    anyCode?: boolean;
    /**
     * Kills the command after this number of seconds. The LEAF then fails with
     * `timeout`.
     */
    timeoutSeconds?: number;
    /** Runs the command without a network. */
    withoutNetwork?: boolean;
    /**
     * Keeps the command from gaining privileges: `sudo` and other set-user-ID
     * programs do nothing for it.
     */
    withoutNewPrivileges?: boolean;
    /** Runs the command in every run, even if its result is known. */
    withoutCache?: boolean;
    /** Puts the entrypoint of the container before the arguments. */
    useEntrypoint?: boolean;
    /**
     * Replaces `$NAME` and `${NAME}` in the arguments by the variables of the
     * container, and `$$` by `$`. If a secret variable is used, a LEAF fails with
     * `invalid-argument`.
     */
    expand?: boolean;
    /**
     * Limits the memory, in bytes. If the command uses more, the LEAF fails with
     * `out-of-memory`.
     */
    memoryLimit?: number;
    /** Limits the number of processes and threads. */
    processLimit?: number;
    /**
     * Limits the processor time, in thousandths of a processor: 1500 is one and a
     * half processors.
     */
    cpuLimit?: number;
  }): Container;

  /**
   * Returns a container whose evaluation fails with the code `custom` and this
   * message. An empty message changes nothing.
   */
  withError(message: string): Container;

  /** Returns the directory at `path`, in the root file system or in a mount. */
  directory(path: string): Directory;

  /** Returns the file at `path`, in the root file system or in a mount. */
  file(path: string): File;

  /**
   * Returns the container as an image in one file: an OCI archive that `docker
   * load` also reads.
   */
  asTarball(): File;

  /**
   * Returns the same file with Docker's media types in place of those of the OCI,
   * for programs that do not know these.
   */
  asDockerTarball(): File;

  /** Returns a service that runs the default arguments of the container. */
  asService(): Service;

  /**
   * Returns the standard output of the last command.
   *
   * Fails with `exec` if that command or an earlier one ended with an unexpected
   * exit code, with `no-exec` if there is no command, and with
   * `invalid-argument` if the output is not UTF-8.
   */
  stdout(): string;

  /**
   * Returns the standard error of the last command. Fails as `stdout`
   * does.
   */
  stderr(): string;

  /**
   * Returns the standard output and the standard error of the last
   * command, in the order in which they arrived. Fails as `stdout` does.
   */
  combinedOutput(): string;

  /** Returns the exit code of the last command. Fails as `stdout` does. */
  exitCode(): number;

  /**
   * Returns the value of an environment variable, or nothing if it is not
   * set.
   */
  envVariable(name: string): string | undefined;

  /**
   * Returns all environment variables, in the order in which they were
   * set.
   */
  envVariables(): Record<string, string>;

  /** Returns the entrypoint. */
  entrypoint(): string[];

  /** Returns the default arguments. */
  defaultArgs(): string[];

  /** Returns the user of commands; empty for root. */
  user(): string;

  /** Returns the working directory. */
  workdir(): string;

  /** Returns the platform, such as `linux/amd64`. */
  platform(): string;

  /** Returns the value of a label, or nothing if it is not set. */
  label(name: string): string | undefined;

  /** Returns all labels, sorted by name. */
  labels(): Record<string, string>;

  /** Returns all annotations, sorted by name. */
  annotations(): Record<string, string>;

  /** Returns the exposed ports, sorted. */
  exposedPorts(): Port[];

  /**
   * Returns the paths of the mounts, in the order in which they were
   * added.
   */
  mounts(): string[];

  /**
   * Returns the reference of the image with its digest. Fails with
   * `invalid-argument` if the container is not an unchanged image from a
   * registry.
   */
  imageRef(): string;

  /**
   * Returns whether something exists at `path`. A symbolic link is not
   * followed.
   */
  exists(path: string): boolean;

  /** Runs all commands of the container, and fails if one of them fails. */
  sync(): void;

  /**
   * Starts to evaluate the container in the background and returns at once. A
   * later LEAF waits for the same evaluation. To evaluate several containers at
   * the same time, call `start` on all of them, and then `sync` on each.
   */
  start(): void;
}

/** The power to run the tools that are installed on this machine. */
export declare namespace machine {
  /**
   * Returns a container that shows this machine's system: `/usr`, `/bin`, `/sbin`
   * and `/lib*`, read-only, and a copy of those parts of `/etc` that contain no
   * private data. Everything else is empty and writable.
   *
   * The cache key contains the package database, the cache of the dynamic linker,
   * the times of the directories in which programs are looked up, and the
   * architecture. A file under `/usr` that was changed by hand, without the package
   * manager, is not noticed; run once with `--no-cache` after such a change.
   */
  function rootfs(): Container;
}

/**
 * The power to fetch from the network.
 *
 * Each source is looked up once per run, and the event log has its digest.
 */
export declare namespace sources {
  /** Returns the files of a git repository at a branch, a tag or a commit. */
  function git(url: string, reference: string): Directory;
  /**
   * Returns the file at a URL.
   *
   * `sha256` is the expected digest, as 64 hex digits. If the contents have
   * another digest, a LEAF fails with `invalid-argument`.
   */
  function http(url: string, sha256?: string): File;
}

/**
 * The power to write files of the caller, and to give images to registries and to
 * Docker.
 *
 * An effect happens on every call and is never answered from the cache. The caller
 * of the stage grants this power with `--allow effects`.
 *
 * Exports are written below the export directory of the caller, which is the
 * working directory of the command line.
 */
export declare namespace effects {
  /**
   * Writes the directory to `path`, relative to the export directory, and
   * returns the absolute path. Files that exist there and that the directory does
   * not contain stay.
   *
   * Fails with `invalid-path` if the path leaves the export directory, also
   * through a symbolic link.
   */
  function exportDirectory(tree: Directory, path: string): string;
  /**
   * Writes the file to `path`, relative to the export directory, and returns
   * the absolute path. Fails as `export-directory` does.
   */
  function exportFile(source: File, path: string): string;
  /**
   * Writes the container as an image to `path`, relative to the export
   * directory, in the format of `container.as-tarball`, and returns the absolute
   * path. Fails as `export-directory` does.
   */
  function exportContainer(image: Container, path: string): string;
  /**
   * Pushes the container to a registry as the image `address`, and returns
   * the reference with its digest.
   *
   * Without `username` and `password`, the credentials are those of the caller's
   * Docker configuration. Layers that the registry has already are not sent again.
   */
  function publish(image: Container, address: string, username?: string, password?: Secret): string;
  /**
   * Loads the container into the local Docker as the image `name`, and
   * returns the name with the image's id in that Docker.
   */
  function load(image: Container, name: string): string;
}

/** The power to read the values of secrets. */
export declare namespace secretAccess {
  /**
   * Returns the value of the secret. Fails with `environment` if the source
   * has no value or the value is not UTF-8.
   */
  function plaintext(secret: Secret): string;
}

/** Messages for the person who runs the pipeline. */
export declare namespace log {
  /** Shows a message together with the name of the stage that sends it. */
  function emit(level: Level, message: string): void;
}
