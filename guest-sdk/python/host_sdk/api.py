# Generated from the WIT package by the test `sdk`. Do not edit.
"""The objects, records and enums of stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ._objects import FIELDS, Object, Value, bindings, items, leaf, lift, lower, options


class CacheSharing(Value, Enum):
    """How commands that run at the same time use one cache volume."""

    SHARED = "shared"
    """All commands use the volume at the same time."""
    LOCKED = "locked"
    """One command uses the volume at a time; the others wait."""
    PRIVATE = "private"
    """Each command uses a volume of its own. A command that finds the volume
    in use gets another one, which later commands may get in turn.
    """


CacheSharing._interface = "cache"


@dataclass
class Stat(Value):
    """The properties of a file, a directory or a symbolic link."""

    name: str
    """The last component of the path."""
    kind: str
    """`file`, `directory`, `symlink` or `other`."""
    size: int
    """The size in bytes: of the contents of a file, or of the target of a link;
    0 for a directory.
    """
    mode: int
    """The permission bits, such as `0o644`."""


Stat._interface = "file"


@dataclass
class SearchResult(Value):
    """One match of `search`."""

    path: str
    """The path of the file, relative to the directory that was searched."""
    line: int
    """The number of the line, counted from 1."""
    text: str
    """The whole line, without its line ending."""


SearchResult._interface = "directory"


@dataclass
class MatchPart(Value):
    """A part of a line that matches."""

    start: int
    """The first byte of the part, counted from 0 in the line."""
    end: int
    """The byte behind the part."""


MatchPart._interface = "directory"


@dataclass
class SearchMatch(Value):
    """One match of `search_matches`."""

    path: str
    """The path of the file, relative to the directory that was searched."""
    line: int
    """The number of the line, counted from 1."""
    text: str
    """The whole line, without its line ending."""
    offset: int
    """The number of bytes of the file before the line."""
    parts: list[MatchPart]
    """The parts of the line that match, in their order."""


SearchMatch._interface = "directory"
FIELDS["SearchMatch", "parts"] = lambda raw: [lift(MatchPart, item) for item in raw]


class Level(Value, Enum):
    """The importance of a message."""

    DEBUG = "debug"
    """Shown only with `--verbose`."""
    INFO = "info"
    """Shown unless `--quiet` is given."""
    WARN = "warn"
    """Always shown."""
    ERROR = "error"
    """Always shown. It does not make the stage fail."""


Level._interface = "log"


class Verdict(Value, Enum):
    """The result of a case."""

    PASSED = "passed"
    """The case succeeded."""
    FAILED = "failed"
    """The case failed."""
    SKIPPED = "skipped"
    """The case did not run."""


Verdict._interface = "report"


@dataclass
class TestCase(Value):
    """One case of a check."""

    name: str
    """The name of the case. It should contain the file or the suite if that
    helps a reader to find the case.
    """
    verdict: Verdict
    """The result of the case."""
    message: str
    """The reason for the verdict; empty if there is nothing to say."""
    duration_ms: int
    """The duration in milliseconds."""


TestCase._interface = "report"
FIELDS["TestCase", "verdict"] = lambda raw: lift(Verdict, raw)


@dataclass
class Report(Value):
    """The result of a check. The check fails if a case failed."""

    summary: str
    """A summary in one sentence."""
    cases: list[TestCase]
    """The cases, in the order in which they ran."""


Report._interface = "report"
FIELDS["Report", "cases"] = lambda raw: [lift(TestCase, item) for item in raw]


class Protocol(Value, Enum):
    """The transport protocol of a port."""

    TCP = "tcp"
    """The Transmission Control Protocol."""
    UDP = "udp"
    """The User Datagram Protocol."""


Protocol._interface = "container"


@dataclass
class Port(Value):
    """A port on which the service of a container listens."""

    number: int
    """The number of the port."""
    protocol: Protocol
    """The transport protocol."""


Port._interface = "container"
FIELDS["Port", "protocol"] = lambda raw: lift(Protocol, raw)


class CacheVolume(Object):
    """A named directory that is kept between runs, for downloads and for the caches
    of compilers. Its contents are not part of any cache key.
    """

    def __init__(self, key: str) -> None:
        """Returns the volume with this key. Equal keys mean the same volume."""
        self._raw = bindings("cache").CacheVolume(lower(key))

    def key(self) -> str:
        """Returns the key of the volume."""
        return self._raw.key()


class File(Object):
    """A file that may not exist yet. Where the path is that of a symbolic link, each
    method reads the file that the link leads to.
    """

    def __init__(self, name: str, contents: str) -> None:
        """Returns a file with this name and these contents, with mode 0644.

        The name is a single path component. If it contains a `/`, a LEAF fails
        with `invalid-path`.
        """
        self._raw = bindings("file").File(lower(name), lower(contents))

    def id(self) -> str:
        """Returns the digest of the definition, which identifies what was asked for
        and not the contents.
        """
        return self._raw.id()

    def name(self) -> str:
        """Returns the last component of the path."""
        return self._raw.name()

    def with_name(self, name: str) -> File:
        """Returns the file under another name."""
        return lift(File, self._raw.with_name(lower(name)))

    def with_replaced(self, search: str, replacement: str, all: bool) -> File:
        """Returns the file with `search` replaced by `replacement`: every occurrence
        if `all` is true, and otherwise the only one.

        A LEAF fails with `not-found` if the text does not occur, and with
        `invalid-argument` if it occurs more than once and `all` is false.
        """
        return lift(File, self._raw.with_replaced(lower(search), lower(replacement), lower(all)))

    def contents(self) -> str:
        """Returns the contents as text.

        Fails with `not-found` if the file does not exist, with `not-a-file` if it
        is something else, and with `invalid-argument` if the contents are not
        UTF-8 or exceed 128 MiB. Use `read` for such files.
        """
        return leaf(lambda: self._raw.contents())

    def read(self, offset: int, max: int) -> bytes:
        """Returns at most `max` bytes, starting at the byte `offset`. The list
        is empty if `offset` is at or after the end.
        """
        return leaf(lambda: self._raw.read(lower(offset), lower(max)))

    def size(self) -> int:
        """Returns the size in bytes."""
        return leaf(lambda: self._raw.size())

    def digest(self) -> str:
        """Returns the digest of the contents: `blake3:` and 64 hex digits."""
        return leaf(lambda: self._raw.digest())

    def stat(self) -> Stat:
        """Returns the properties of the file without reading it."""
        return lift(Stat, leaf(lambda: self._raw.stat()))

    def sync(self) -> None:
        """Evaluates the file, and fails if that fails."""
        leaf(lambda: self._raw.sync())

    def start(self) -> None:
        """Starts to evaluate the file in the background and returns at once. A later
        LEAF waits for the same evaluation.
        """
        self._raw.start()


class Directory(Object):
    """A directory that may not exist yet. Each method returns another directory and
    leaves this one as it is.

    Paths are relative to the directory, and a leading `/` means the directory
    itself. If a path leaves the directory through `..`, a LEAF fails with
    `invalid-path`.
    """

    def __init__(self) -> None:
        """Returns an empty directory."""
        self._raw = bindings("directory").Directory()

    def id(self) -> str:
        """Returns the digest of the definition, which identifies what was asked for
        and not the contents.
        """
        return self._raw.id()

    def name(self) -> str:
        """Returns the last component of the path, followed by `/`; `/` for the root of
        a tree.
        """
        return self._raw.name()

    def file(self, path: str) -> File:
        """Returns the file at `path`."""
        return lift(File, self._raw.file(lower(path)))

    def subdirectory(self, path: str) -> Directory:
        """Returns the directory at `path`."""
        return lift(Directory, self._raw.subdirectory(lower(path)))

    def with_new_file(
        self,
        path: str,
        contents: str | bytes,
        *,
        mode: int | None = None,
        special_bits: bool = False,
        owner: str | None = None,
        inherit_owner: bool = False,
    ) -> Directory:
        """Adds a file with these contents at `path`, with mode 0644. Missing parent
        directories are created.

        Args:
            mode: Sets the permission bits. A file gets the nine bits `0o777` of them, and a
                directory also the others, such as `0o1777`.
            special_bits: Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
                as in `0o4755`.
            owner: Sets the owner, in the form of `copy-options.with-owner`.
            inherit_owner: Sets the owner as `copy-options.inherit-owner` does.
        """
        binding = bindings("directory").NewOptions
        chosen = options(
            binding,
            with_mode=mode,
            with_special_bits=special_bits,
            with_owner=owner,
            inherit_owner=inherit_owner,
        )
        if chosen is None and isinstance(contents, str):
            return lift(Directory, self._raw.with_new_file(lower(path), lower(contents)))
        contents = contents.encode() if isinstance(contents, str) else contents
        return lift(Directory, self._raw.with_new_file_options(lower(path), lower(contents), chosen or binding()))

    def with_new_directory(
        self,
        path: str,
        *,
        mode: int | None = None,
        special_bits: bool = False,
        owner: str | None = None,
        inherit_owner: bool = False,
    ) -> Directory:
        """Adds an empty directory at `path`, with mode 0755. Missing parent
        directories are created. A directory that exists stays as it is.

        Args:
            mode: Sets the permission bits. A file gets the nine bits `0o777` of them, and a
                directory also the others, such as `0o1777`.
            special_bits: Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
                as in `0o4755`.
            owner: Sets the owner, in the form of `copy-options.with-owner`.
            inherit_owner: Sets the owner as `copy-options.inherit-owner` does.
        """
        binding = bindings("directory").NewOptions
        chosen = options(
            binding,
            with_mode=mode,
            with_special_bits=special_bits,
            with_owner=owner,
            inherit_owner=inherit_owner,
        )
        if chosen is None:
            return lift(Directory, self._raw.with_new_directory(lower(path)))
        return lift(Directory, self._raw.with_new_directory_options(lower(path), chosen or binding()))

    def with_file(
        self,
        path: str,
        source: File,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        owner: str | None = None,
        inherit_owner: bool = False,
        mode: int | None = None,
    ) -> Directory:
        """Adds a copy of the file at `path`. If `path` ends with `/`, or if a
        directory exists there, the file goes into that directory under its own
        name.

        Args:
            include: Copies only what matches one of the patterns. The syntax is that of
                `.dockerignore`: a pattern is relative to the source directory, `**` matches
                any number of directories, and a leading `!` excludes again.
            exclude: Leaves out what matches one of the patterns, in the same syntax. It takes
                precedence over `with-include`.
            owner: Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
                looked up in `/etc/passwd` and `/etc/group` of the target.
            inherit_owner: Gives everything that is copied into a container to the user of its commands,
                if no other owner is set. Without a container it changes nothing.
            mode: Sets the permission bits of all copied files. Directories get the same bits,
                with execute permission wherever they have read permission.
        """
        binding = bindings("directory").CopyOptions
        chosen = options(
            binding,
            with_include=include,
            with_exclude=exclude,
            with_owner=owner,
            inherit_owner=inherit_owner,
            with_mode=mode,
        )
        if chosen is None:
            return lift(Directory, self._raw.with_file(lower(path), lower(source)))
        return lift(Directory, self._raw.with_file_options(lower(path), lower(source), chosen or binding()))

    def with_files(self, path: str, sources: Sequence[File]) -> Directory:
        """Adds a copy of each file to the directory at `path`."""
        return lift(Directory, self._raw.with_files(lower(path), items(sources)))

    def with_directory(
        self,
        path: str,
        source: Directory,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        owner: str | None = None,
        inherit_owner: bool = False,
        mode: int | None = None,
    ) -> Directory:
        """Adds the contents of a directory at `path`, and merges them with what exists
        there. Where both have an entry, the added one replaces the other.

        Args:
            include: Copies only what matches one of the patterns. The syntax is that of
                `.dockerignore`: a pattern is relative to the source directory, `**` matches
                any number of directories, and a leading `!` excludes again.
            exclude: Leaves out what matches one of the patterns, in the same syntax. It takes
                precedence over `with-include`.
            owner: Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
                looked up in `/etc/passwd` and `/etc/group` of the target.
            inherit_owner: Gives everything that is copied into a container to the user of its commands,
                if no other owner is set. Without a container it changes nothing.
            mode: Sets the permission bits of all copied files. Directories get the same bits,
                with execute permission wherever they have read permission.
        """
        binding = bindings("directory").CopyOptions
        chosen = options(
            binding,
            with_include=include,
            with_exclude=exclude,
            with_owner=owner,
            inherit_owner=inherit_owner,
            with_mode=mode,
        )
        if chosen is None:
            return lift(Directory, self._raw.with_directory(lower(path), lower(source)))
        return lift(Directory, self._raw.with_directory_options(lower(path), lower(source), chosen or binding()))

    def with_symlink(self, target: str, link_name: str) -> Directory:
        """Adds a symbolic link at `link-name` that points to `target`. The target does
        not have to exist. If something exists at `link-name`, a LEAF fails with
        `invalid-argument`.
        """
        return lift(Directory, self._raw.with_symlink(lower(target), lower(link_name)))

    def without_file(self, path: str) -> Directory:
        """Removes the file at `path`, or all files that match `path` as a glob. If
        there is none, nothing happens. If a directory matches, a LEAF fails with
        `invalid-argument`.
        """
        return lift(Directory, self._raw.without_file(lower(path)))

    def without_files(self, paths: Sequence[str]) -> Directory:
        """Removes each of these files, as `without_file` does."""
        return lift(Directory, self._raw.without_files(items(paths)))

    def without_directory(self, path: str) -> Directory:
        """Removes the directory at `path`, or all directories that match `path` as a
        glob. If there is none, nothing happens. If something else is at `path`, a LEAF
        fails with `invalid-argument`.
        """
        return lift(Directory, self._raw.without_directory(lower(path)))

    def filter(self, includes: Sequence[str], excludes: Sequence[str]) -> Directory:
        """Keeps only what matches one of `includes` (everything if the list is empty)
        and none of `excludes`. The syntax is that of `copy-options.with-include`.
        """
        return lift(Directory, self._raw.filter(items(includes), items(excludes)))

    def diff(self, other: Directory) -> Directory:
        """Returns the entries of `other` that this directory does not have, or has
        with other contents or properties.
        """
        return lift(Directory, self._raw.diff(lower(other)))

    def merge(self, others: Sequence[Directory]) -> Directory:
        """Adds the contents of each directory in `others`, in their order. Where both
        have an entry, the later one replaces the earlier one.
        """
        return lift(Directory, self._raw.merge(items(others)))

    def with_owner(self, path: str, owner: str) -> Directory:
        """Gives everything at and below `path` to `owner`, a `uid` or `uid:gid`."""
        return lift(Directory, self._raw.with_owner(lower(path), lower(owner)))

    def with_timestamps(self, seconds: int) -> Directory:
        """Sets all modification times to this number of seconds after 1970-01-01
        00:00:00 UTC.
        """
        return lift(Directory, self._raw.with_timestamps(lower(seconds)))

    def entries(self, path: str | None = None) -> list[str]:
        """Returns the sorted names of the entries of the directory, or of the
        directory at `path`. Names of directories end with `/`.
        """
        return leaf(lambda: self._raw.entries(lower(path)))

    def glob(self, pattern: str) -> list[str]:
        """Returns the sorted paths that match the pattern. `*` matches within
        one directory, `**` matches any number of directories, and `?`, `[a-z]` and
        `{a,b}` work as in a shell. Paths of directories end with `/`.
        """
        return leaf(lambda: self._raw.glob(lower(pattern)))

    def search(
        self,
        pattern: str,
        *,
        literal: bool = False,
        insensitive: bool = False,
        globs: Sequence[str] | None = None,
        limit: int | None = None,
        files_only: bool = False,
        skip_hidden: bool = False,
    ) -> list[SearchResult]:
        """Returns the lines that match the pattern, ordered by path and line.

        Args:
            literal: Takes the pattern as plain text.
            insensitive: Ignores the difference between upper and lower case.
            globs: Searches only the files whose path matches one of these globs.
            limit: Stops after this many matches.
            files_only: Returns each file once, with its first match.
            skip_hidden: Leaves out files whose name begins with a dot, and everything in directories
                whose name does.
        """
        binding = bindings("directory").SearchOptions
        chosen = options(
            binding,
            literal=literal,
            insensitive=insensitive,
            with_globs=globs,
            with_limit=limit,
            files_only=files_only,
            skip_hidden=skip_hidden,
        )
        return [lift(SearchResult, item) for item in leaf(lambda: self._raw.search(lower(pattern), chosen or binding()))]

    def search_matches(
        self,
        pattern: str,
        *,
        literal: bool = False,
        insensitive: bool = False,
        globs: Sequence[str] | None = None,
        limit: int | None = None,
        files_only: bool = False,
        skip_hidden: bool = False,
    ) -> list[SearchMatch]:
        """Returns the same lines as `search`, with their places in the file and the
        parts that match.

        Args:
            literal: Takes the pattern as plain text.
            insensitive: Ignores the difference between upper and lower case.
            globs: Searches only the files whose path matches one of these globs.
            limit: Stops after this many matches.
            files_only: Returns each file once, with its first match.
            skip_hidden: Leaves out files whose name begins with a dot, and everything in directories
                whose name does.
        """
        binding = bindings("directory").SearchOptions
        chosen = options(
            binding,
            literal=literal,
            insensitive=insensitive,
            with_globs=globs,
            with_limit=limit,
            files_only=files_only,
            skip_hidden=skip_hidden,
        )
        return [lift(SearchMatch, item) for item in leaf(lambda: self._raw.search_matches(lower(pattern), chosen or binding()))]

    def exists(self, path: str) -> bool:
        """Returns whether something exists at `path`. A symbolic link is not
        followed.
        """
        return leaf(lambda: self._raw.exists(lower(path)))

    def find_up(self, name: str, start: str | None = None) -> str | None:
        """Looks for an entry of this name in the directory `start`, and then in each
        directory above it up to this one. Returns the path of the first, or nothing.
        Without `start` only this directory is looked in.
        """
        return leaf(lambda: self._raw.find_up(lower(name), lower(start)))

    def stat(self, path: str) -> Stat:
        """Returns the properties of the entry at `path`. A symbolic link is not
        followed.
        """
        return lift(Stat, leaf(lambda: self._raw.stat(lower(path))))

    def digest(self) -> str:
        """Returns the digest of the tree. It covers names, contents, modes,
        owners and link targets, and those times that `with_timestamps` set.
        """
        return leaf(lambda: self._raw.digest())

    def sync(self) -> None:
        """Evaluates the directory, and fails if that fails."""
        leaf(lambda: self._raw.sync())

    def start(self) -> None:
        """Starts to evaluate the directory in the background and returns at once. A
        later LEAF waits for the same evaluation.
        """
        self._raw.start()


class Secret(Object):
    """A secret that the caller of the stage provides.

    Its value is not part of any digest or cache key, which have at most a hash of it
    with a key that only this machine's store has, and is replaced by `***` in the
    output of commands.
    """

    def name(self) -> str:
        """Returns the name of the secret: the name of the flag that provided it."""
        return self._raw.name()


class Service(Object):
    """A container that starts when it is needed, and stops after its last user."""

    def hostname(self) -> str:
        """Returns the host name under which containers reach the service."""
        return self._raw.hostname()

    def with_hostname(self, hostname: str) -> Service:
        """Returns the same service under this host name."""
        return lift(Service, self._raw.with_hostname(lower(hostname)))

    def up(self) -> None:
        """Starts the service and waits until its exposed ports accept
        connections.
        """
        leaf(lambda: self._raw.up())

    def endpoint(self, port: int | None = None, scheme: str | None = None) -> str:
        """Returns the address `hostname:port`, preceded by `scheme://` if
        `scheme` is given. Without `port`, it is the first exposed port.
        """
        return leaf(lambda: self._raw.endpoint(lower(port), lower(scheme)))

    def stop(self) -> None:
        """Stops the service."""
        leaf(lambda: self._raw.stop())


class Container(Object):
    """A container that may not exist yet: a root file system, a configuration, and the
    commands to run. Each method returns another container and leaves this one as it
    is.

    Nothing runs until a value is read. Relative paths are relative to the working
    directory. If a path leaves the root, the LEAF that needs it fails with
    `invalid-path`.
    """

    def __init__(self) -> None:
        """Returns a container with an empty root file system, for the platform of this
        machine.
        """
        self._raw = bindings("container").Container()

    def id(self) -> str:
        """Returns the digest of the definition, which identifies what was asked for."""
        return self._raw.id()

    def with_platform(self, platform: str) -> Container:
        """Sets the platform, such as `linux/arm64`. A command can run only on the
        platform of this machine.
        """
        return lift(Container, self._raw.with_platform(lower(platform)))

    def from_image(self, address: str) -> Container:
        """Replaces the root file system and the configuration by those of an image.
        Variables, labels and ports that were set before stay unless the image sets
        them.

        `address` is a reference as Docker accepts it, or `docker-daemon:NAME` for
        an image of the local Docker. A tag means the same image for the whole run.
        """
        return lift(Container, self._raw.from_image(lower(address)))

    def import_image(self, source: File, tag: str | None = None) -> Container:
        """Replaces the root file system and the configuration by those of an image in
        a file, which is an OCI archive or a file that `docker save` wrote. `tag`
        selects one of several images.
        """
        return lift(Container, self._raw.import_image(lower(source), lower(tag)))

    def import_layout(self, source: Directory, tag: str | None = None) -> Container:
        """Does the same for an image in the directory of an OCI layout."""
        return lift(Container, self._raw.import_layout(lower(source), lower(tag)))

    def build(
        self,
        context: Directory,
        *,
        dockerfile: str | None = None,
        target: str | None = None,
        arguments: Mapping[str, str] | None = None,
    ) -> Container:
        """Builds the Dockerfile in the directory `context`, and returns the resulting
        container.

        Args:
            dockerfile: Sets the path of the Dockerfile in the build context.
            target: Sets the stage of the Dockerfile to build.
            arguments: Sets a build argument.
        """
        binding = bindings("container").BuildOptions
        chosen = options(
            binding,
            with_dockerfile=dockerfile,
            with_target=target,
            with_argument=arguments,
        )
        return lift(Container, self._raw.build(lower(context), chosen or binding()))

    def with_rootfs(self, source: Directory) -> Container:
        """Replaces the root file system by this directory."""
        return lift(Container, self._raw.with_rootfs(lower(source)))

    def rootfs(self) -> Directory:
        """Returns the root file system, without what is mounted."""
        return lift(Directory, self._raw.rootfs())

    def with_env_variable(self, name: str, value: str) -> Container:
        """Sets an environment variable. If it exists, its value is replaced and its
        position stays.
        """
        return lift(Container, self._raw.with_env_variable(lower(name), lower(value)))

    def with_env_variable_expanded(self, name: str, value: str) -> Container:
        """Sets an environment variable, after replacing `$NAME` and `${NAME}` in the
        value by variables of the container.
        """
        return lift(Container, self._raw.with_env_variable_expanded(lower(name), lower(value)))

    def without_env_variable(self, name: str) -> Container:
        """Removes an environment variable."""
        return lift(Container, self._raw.without_env_variable(lower(name)))

    def with_secret_variable(self, name: str, value: Secret) -> Container:
        """Sets an environment variable to the value of a secret, which only commands
        see.
        """
        return lift(Container, self._raw.with_secret_variable(lower(name), lower(value)))

    def without_secret_variable(self, name: str) -> Container:
        """Removes a secret variable."""
        return lift(Container, self._raw.without_secret_variable(lower(name)))

    def with_volatile_variable(self, name: str, value: str) -> Container:
        """Sets a variable that commands see and that is part of no cache key, such as the
        number of a build: with another value, no command runs again. It hides a
        variable and a secret of its name, and is in no image. In one run, only the
        first of two commands that differ in it alone is executed.
        """
        return lift(Container, self._raw.with_volatile_variable(lower(name), lower(value)))

    def without_volatile_variable(self, name: str) -> Container:
        """Removes a volatile variable."""
        return lift(Container, self._raw.without_volatile_variable(lower(name)))

    def with_workdir(self, path: str) -> Container:
        """Sets the working directory, and creates it if it does not exist."""
        return lift(Container, self._raw.with_workdir(lower(path)))

    def without_workdir(self) -> Container:
        """Sets the working directory to `/`."""
        return lift(Container, self._raw.without_workdir())

    def with_user(self, user: str) -> Container:
        """Sets the user of commands: `name`, `name:group`, `uid` or `uid:gid`."""
        return lift(Container, self._raw.with_user(lower(user)))

    def without_user(self) -> Container:
        """Sets the user of commands to root."""
        return lift(Container, self._raw.without_user())

    def with_entrypoint(self, args: Sequence[str]) -> Container:
        """Sets the entrypoint and removes the default arguments."""
        return lift(Container, self._raw.with_entrypoint(items(args)))

    def without_entrypoint(self) -> Container:
        """Removes the entrypoint and the default arguments."""
        return lift(Container, self._raw.without_entrypoint())

    def with_default_args(self, args: Sequence[str]) -> Container:
        """Sets the arguments of a command that has none."""
        return lift(Container, self._raw.with_default_args(items(args)))

    def without_default_args(self) -> Container:
        """Removes the default arguments."""
        return lift(Container, self._raw.without_default_args())

    def with_label(self, name: str, value: str) -> Container:
        """Sets a label of the image."""
        return lift(Container, self._raw.with_label(lower(name), lower(value)))

    def without_label(self, name: str) -> Container:
        """Removes a label."""
        return lift(Container, self._raw.without_label(lower(name)))

    def with_annotation(self, name: str, value: str) -> Container:
        """Sets an annotation of the image manifest."""
        return lift(Container, self._raw.with_annotation(lower(name), lower(value)))

    def without_annotation(self, name: str) -> Container:
        """Removes an annotation."""
        return lift(Container, self._raw.without_annotation(lower(name)))

    def with_exposed_port(self, port: int, protocol: Protocol) -> Container:
        """Adds a port on which the service of the container listens."""
        return lift(Container, self._raw.with_exposed_port(lower(port), lower(protocol)))

    def without_exposed_port(self, port: int, protocol: Protocol) -> Container:
        """Removes an exposed port."""
        return lift(Container, self._raw.without_exposed_port(lower(port), lower(protocol)))

    def with_new_file(
        self,
        path: str,
        contents: str | bytes,
        *,
        mode: int | None = None,
        special_bits: bool = False,
        owner: str | None = None,
        inherit_owner: bool = False,
    ) -> Container:
        """Adds a file with these contents at `path`, with mode 0644. Missing parent
        directories are created.

        Args:
            mode: Sets the permission bits. A file gets the nine bits `0o777` of them, and a
                directory also the others, such as `0o1777`.
            special_bits: Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too,
                as in `0o4755`.
            owner: Sets the owner, in the form of `copy-options.with-owner`.
            inherit_owner: Sets the owner as `copy-options.inherit-owner` does.
        """
        binding = bindings("directory").NewOptions
        chosen = options(
            binding,
            with_mode=mode,
            with_special_bits=special_bits,
            with_owner=owner,
            inherit_owner=inherit_owner,
        )
        if chosen is None and isinstance(contents, str):
            return lift(Container, self._raw.with_new_file(lower(path), lower(contents)))
        contents = contents.encode() if isinstance(contents, str) else contents
        return lift(Container, self._raw.with_new_file_options(lower(path), lower(contents), chosen or binding()))

    def with_new_directory(self, path: str) -> Container:
        """Adds an empty directory at `path`, with mode 0755."""
        return lift(Container, self._raw.with_new_directory(lower(path)))

    def with_file(
        self,
        path: str,
        source: File,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        owner: str | None = None,
        inherit_owner: bool = False,
        mode: int | None = None,
    ) -> Container:
        """Adds a copy of the file at `path`. If `path` ends with `/`, or if a
        directory exists there, the file goes into that directory under its own
        name.

        Args:
            include: Copies only what matches one of the patterns. The syntax is that of
                `.dockerignore`: a pattern is relative to the source directory, `**` matches
                any number of directories, and a leading `!` excludes again.
            exclude: Leaves out what matches one of the patterns, in the same syntax. It takes
                precedence over `with-include`.
            owner: Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
                looked up in `/etc/passwd` and `/etc/group` of the target.
            inherit_owner: Gives everything that is copied into a container to the user of its commands,
                if no other owner is set. Without a container it changes nothing.
            mode: Sets the permission bits of all copied files. Directories get the same bits,
                with execute permission wherever they have read permission.
        """
        binding = bindings("directory").CopyOptions
        chosen = options(
            binding,
            with_include=include,
            with_exclude=exclude,
            with_owner=owner,
            inherit_owner=inherit_owner,
            with_mode=mode,
        )
        if chosen is None:
            return lift(Container, self._raw.with_file(lower(path), lower(source)))
        return lift(Container, self._raw.with_file_options(lower(path), lower(source), chosen or binding()))

    def with_files(self, path: str, sources: Sequence[File]) -> Container:
        """Adds a copy of each file to the directory at `path`."""
        return lift(Container, self._raw.with_files(lower(path), items(sources)))

    def with_directory(
        self,
        path: str,
        source: Directory,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        owner: str | None = None,
        inherit_owner: bool = False,
        mode: int | None = None,
    ) -> Container:
        """Adds a copy of the contents of a directory at `path`, and merges them with
        what exists there.

        Args:
            include: Copies only what matches one of the patterns. The syntax is that of
                `.dockerignore`: a pattern is relative to the source directory, `**` matches
                any number of directories, and a leading `!` excludes again.
            exclude: Leaves out what matches one of the patterns, in the same syntax. It takes
                precedence over `with-include`.
            owner: Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are
                looked up in `/etc/passwd` and `/etc/group` of the target.
            inherit_owner: Gives everything that is copied into a container to the user of its commands,
                if no other owner is set. Without a container it changes nothing.
            mode: Sets the permission bits of all copied files. Directories get the same bits,
                with execute permission wherever they have read permission.
        """
        binding = bindings("directory").CopyOptions
        chosen = options(
            binding,
            with_include=include,
            with_exclude=exclude,
            with_owner=owner,
            inherit_owner=inherit_owner,
            with_mode=mode,
        )
        if chosen is None:
            return lift(Container, self._raw.with_directory(lower(path), lower(source)))
        return lift(Container, self._raw.with_directory_options(lower(path), lower(source), chosen or binding()))

    def with_symlink(self, target: str, link_name: str) -> Container:
        """Adds a symbolic link at `link-name` that points to `target`."""
        return lift(Container, self._raw.with_symlink(lower(target), lower(link_name)))

    def without_file(self, path: str) -> Container:
        """Removes the file at `path`. If there is none, nothing happens. If it is a
        directory, a LEAF fails with `invalid-argument`.
        """
        return lift(Container, self._raw.without_file(lower(path)))

    def without_files(self, paths: Sequence[str]) -> Container:
        """Removes each of these files."""
        return lift(Container, self._raw.without_files(items(paths)))

    def without_directory(self, path: str) -> Container:
        """Removes the directory at `path`. If there is none, nothing happens. If it is
        something else, a LEAF fails with `invalid-argument`.
        """
        return lift(Container, self._raw.without_directory(lower(path)))

    def with_mounted_directory(
        self,
        path: str,
        source: Directory,
        *,
        read_only: bool = False,
        owner: str | None = None,
        mode: int | None = None,
        size: int | None = None,
        sharing: CacheSharing | None = None,
        seed: Directory | None = None,
    ) -> Container:
        """Mounts a directory at `path`, which hides what exists there. Commands may
        change it; later commands and `directory` see the changes, and the root file
        system does not contain them.

        Args:
            read_only: Makes a mounted directory read-only.
            owner: Sets the owner: `uid`, `uid:gid`, or names from the container.
            mode: Sets the permission bits of a secret or of a temporary directory.
            size: Limits the size of a temporary directory, in bytes.
            sharing: Sets how commands share a cache volume. The default is `shared`.
            seed: Sets the initial contents of a cache volume that is empty.
        """
        binding = bindings("container").MountOptions
        chosen = options(
            binding,
            read_only=read_only,
            with_owner=owner,
            with_mode=mode,
            with_size=size,
            with_sharing=sharing,
            with_seed=seed,
        )
        if chosen is None:
            return lift(Container, self._raw.with_mounted_directory(lower(path), lower(source)))
        return lift(Container, self._raw.with_mounted_directory_options(lower(path), lower(source), chosen or binding()))

    def with_mounted_file(self, path: str, source: File) -> Container:
        """Mounts a file at `path`, read-only."""
        return lift(Container, self._raw.with_mounted_file(lower(path), lower(source)))

    def with_mounted_cache(
        self,
        path: str,
        cache: CacheVolume,
        *,
        read_only: bool = False,
        owner: str | None = None,
        mode: int | None = None,
        size: int | None = None,
        sharing: CacheSharing | None = None,
        seed: Directory | None = None,
    ) -> Container:
        """Mounts a cache volume at `path`.

        Args:
            read_only: Makes a mounted directory read-only.
            owner: Sets the owner: `uid`, `uid:gid`, or names from the container.
            mode: Sets the permission bits of a secret or of a temporary directory.
            size: Limits the size of a temporary directory, in bytes.
            sharing: Sets how commands share a cache volume. The default is `shared`.
            seed: Sets the initial contents of a cache volume that is empty.
        """
        binding = bindings("container").MountOptions
        chosen = options(
            binding,
            read_only=read_only,
            with_owner=owner,
            with_mode=mode,
            with_size=size,
            with_sharing=sharing,
            with_seed=seed,
        )
        if chosen is None:
            return lift(Container, self._raw.with_mounted_cache(lower(path), lower(cache)))
        return lift(Container, self._raw.with_mounted_cache_options(lower(path), lower(cache), chosen or binding()))

    def with_mounted_secret(
        self,
        path: str,
        source: Secret,
        *,
        read_only: bool = False,
        owner: str | None = None,
        mode: int | None = None,
        size: int | None = None,
        sharing: CacheSharing | None = None,
        seed: Directory | None = None,
    ) -> Container:
        """Mounts a secret as a file at `path`, with mode 0400. Only commands see it.

        Args:
            read_only: Makes a mounted directory read-only.
            owner: Sets the owner: `uid`, `uid:gid`, or names from the container.
            mode: Sets the permission bits of a secret or of a temporary directory.
            size: Limits the size of a temporary directory, in bytes.
            sharing: Sets how commands share a cache volume. The default is `shared`.
            seed: Sets the initial contents of a cache volume that is empty.
        """
        binding = bindings("container").MountOptions
        chosen = options(
            binding,
            read_only=read_only,
            with_owner=owner,
            with_mode=mode,
            with_size=size,
            with_sharing=sharing,
            with_seed=seed,
        )
        if chosen is None:
            return lift(Container, self._raw.with_mounted_secret(lower(path), lower(source)))
        return lift(Container, self._raw.with_mounted_secret_options(lower(path), lower(source), chosen or binding()))

    def with_mounted_temp(
        self,
        path: str,
        *,
        read_only: bool = False,
        owner: str | None = None,
        mode: int | None = None,
        size: int | None = None,
        sharing: CacheSharing | None = None,
        seed: Directory | None = None,
    ) -> Container:
        """Mounts an empty directory in memory at `path`, with mode 1777. Each command
        gets a new one.

        Args:
            read_only: Makes a mounted directory read-only.
            owner: Sets the owner: `uid`, `uid:gid`, or names from the container.
            mode: Sets the permission bits of a secret or of a temporary directory.
            size: Limits the size of a temporary directory, in bytes.
            sharing: Sets how commands share a cache volume. The default is `shared`.
            seed: Sets the initial contents of a cache volume that is empty.
        """
        binding = bindings("container").MountOptions
        chosen = options(
            binding,
            read_only=read_only,
            with_owner=owner,
            with_mode=mode,
            with_size=size,
            with_sharing=sharing,
            with_seed=seed,
        )
        if chosen is None:
            return lift(Container, self._raw.with_mounted_temp(lower(path)))
        return lift(Container, self._raw.with_mounted_temp_options(lower(path), chosen or binding()))

    def without_mount(self, path: str) -> Container:
        """Removes the mount at `path`, so that what it hid is visible again."""
        return lift(Container, self._raw.without_mount(lower(path)))

    def with_service_binding(self, alias: str, service: Service) -> Container:
        """Starts a service before each command, which reaches it under the host name
        `alias`.
        """
        return lift(Container, self._raw.with_service_binding(lower(alias), lower(service)))

    def with_exec(
        self,
        args: Sequence[str],
        *,
        stdin: str | None = None,
        redirect_stdin: str | None = None,
        redirect_stdout: str | None = None,
        redirect_stderr: str | None = None,
        expected_codes: Sequence[int] | None = None,
        any_code: bool = False,
        timeout_seconds: int | None = None,
        without_network: bool = False,
        without_new_privileges: bool = False,
        without_cache: bool = False,
        use_entrypoint: bool = False,
        expand: bool = False,
        memory_limit: int | None = None,
        process_limit: int | None = None,
        cpu_limit: int | None = None,
    ) -> Container:
        """Adds a command that runs in the container as it is at this point. Without
        arguments, the default arguments are the command.

        Equal commands in equal containers run at most once.

        Args:
            stdin: Sets the text of the standard input, which is empty by default.
            redirect_stdin: Reads the standard input from a file of the container. If there is none, a LEAF
                fails with `not-found`; if `with-stdin` is also set, with `invalid-argument`.
            redirect_stdout: Also writes the standard output to this file of the container, with secrets
                replaced. The path is relative to the working directory.
            redirect_stderr: Also writes the standard error to this file of the container, with secrets
                replaced. The path is relative to the working directory.
            expected_codes: Sets the exit codes that are not a failure.
            any_code: Accepts every exit code.
            timeout_seconds: Kills the command after this number of seconds. The LEAF then fails with
                `timeout`.
            without_network: Runs the command without a network.
            without_new_privileges: Keeps the command from gaining privileges: `sudo` and other set-user-ID
                programs do nothing for it.
            without_cache: Runs the command in every run, even if its result is known.
            use_entrypoint: Puts the entrypoint of the container before the arguments.
            expand: Replaces `$NAME` and `${NAME}` in the arguments by the variables of the
                container, and `$$` by `$`. If a secret variable is used, a LEAF fails with
                `invalid-argument`.
            memory_limit: Limits the memory, in bytes. If the command uses more, the LEAF fails with
                `out-of-memory`.
            process_limit: Limits the number of processes and threads.
            cpu_limit: Limits the processor time, in thousandths of a processor: 1500 is one and a
                half processors.
        """
        binding = bindings("container").ExecOptions
        chosen = options(
            binding,
            with_stdin=stdin,
            with_redirect_stdin=redirect_stdin,
            with_redirect_stdout=redirect_stdout,
            with_redirect_stderr=redirect_stderr,
            with_expected_codes=expected_codes,
            with_any_code=any_code,
            with_timeout_seconds=timeout_seconds,
            without_network=without_network,
            without_new_privileges=without_new_privileges,
            without_cache=without_cache,
            use_entrypoint=use_entrypoint,
            expand=expand,
            with_memory_limit=memory_limit,
            with_process_limit=process_limit,
            with_cpu_limit=cpu_limit,
        )
        if chosen is None:
            return lift(Container, self._raw.with_exec(items(args)))
        return lift(Container, self._raw.with_exec_options(items(args), chosen or binding()))

    def with_error(self, message: str) -> Container:
        """Returns a container whose evaluation fails with the code `custom` and this
        message. An empty message changes nothing.
        """
        return lift(Container, self._raw.with_error(lower(message)))

    def directory(self, path: str) -> Directory:
        """Returns the directory at `path`, in the root file system or in a mount."""
        return lift(Directory, self._raw.directory(lower(path)))

    def file(self, path: str) -> File:
        """Returns the file at `path`, in the root file system or in a mount."""
        return lift(File, self._raw.file(lower(path)))

    def as_tarball(self) -> File:
        """Returns the container as an image in one file: an OCI archive that `docker
        load` also reads.
        """
        return lift(File, self._raw.as_tarball())

    def as_docker_tarball(self) -> File:
        """Returns the same file with Docker's media types in place of those of the OCI,
        for programs that do not know these.
        """
        return lift(File, self._raw.as_docker_tarball())

    def as_service(self) -> Service:
        """Returns a service that runs the default arguments of the container."""
        return lift(Service, self._raw.as_service())

    def stdout(self) -> str:
        """Returns the standard output of the last command.

        Fails with `exec` if that command or an earlier one ended with an unexpected
        exit code, with `no-exec` if there is no command, and with
        `invalid-argument` if the output is not UTF-8.
        """
        return leaf(lambda: self._raw.stdout())

    def stderr(self) -> str:
        """Returns the standard error of the last command. Fails as `stdout`
        does.
        """
        return leaf(lambda: self._raw.stderr())

    def combined_output(self) -> str:
        """Returns the standard output and the standard error of the last
        command, in the order in which they arrived. Fails as `stdout` does.
        """
        return leaf(lambda: self._raw.combined_output())

    def exit_code(self) -> int:
        """Returns the exit code of the last command. Fails as `stdout` does."""
        return leaf(lambda: self._raw.exit_code())

    def env_variable(self, name: str) -> str | None:
        """Returns the value of an environment variable, or nothing if it is not
        set.
        """
        return leaf(lambda: self._raw.env_variable(lower(name)))

    def env_variables(self) -> dict[str, str]:
        """Returns all environment variables, in the order in which they were
        set.
        """
        return dict(leaf(lambda: self._raw.env_variables()))

    def entrypoint(self) -> list[str]:
        """Returns the entrypoint."""
        return leaf(lambda: self._raw.entrypoint())

    def default_args(self) -> list[str]:
        """Returns the default arguments."""
        return leaf(lambda: self._raw.default_args())

    def user(self) -> str:
        """Returns the user of commands; empty for root."""
        return leaf(lambda: self._raw.user())

    def workdir(self) -> str:
        """Returns the working directory."""
        return leaf(lambda: self._raw.workdir())

    def platform(self) -> str:
        """Returns the platform, such as `linux/amd64`."""
        return leaf(lambda: self._raw.platform())

    def label(self, name: str) -> str | None:
        """Returns the value of a label, or nothing if it is not set."""
        return leaf(lambda: self._raw.label(lower(name)))

    def labels(self) -> dict[str, str]:
        """Returns all labels, sorted by name."""
        return dict(leaf(lambda: self._raw.labels()))

    def annotations(self) -> dict[str, str]:
        """Returns all annotations, sorted by name."""
        return dict(leaf(lambda: self._raw.annotations()))

    def exposed_ports(self) -> list[Port]:
        """Returns the exposed ports, sorted."""
        return [lift(Port, item) for item in leaf(lambda: self._raw.exposed_ports())]

    def mounts(self) -> list[str]:
        """Returns the paths of the mounts, in the order in which they were
        added.
        """
        return leaf(lambda: self._raw.mounts())

    def image_ref(self) -> str:
        """Returns the reference of the image with its digest. Fails with
        `invalid-argument` if the container is not an unchanged image from a
        registry.
        """
        return leaf(lambda: self._raw.image_ref())

    def exists(self, path: str) -> bool:
        """Returns whether something exists at `path`. A symbolic link is not
        followed.
        """
        return leaf(lambda: self._raw.exists(lower(path)))

    def sync(self) -> None:
        """Runs all commands of the container, and fails if one of them fails."""
        leaf(lambda: self._raw.sync())

    def start(self) -> None:
        """Starts to evaluate the container in the background and returns at once. A
        later LEAF waits for the same evaluation. To evaluate several containers at
        the same time, call `start` on all of them, and then `sync` on each.
        """
        self._raw.start()


__all__ = [
    "CacheSharing",
    "CacheVolume",
    "Container",
    "Directory",
    "File",
    "Level",
    "MatchPart",
    "Port",
    "Protocol",
    "Report",
    "SearchMatch",
    "SearchResult",
    "Secret",
    "Service",
    "Stat",
    "TestCase",
    "Verdict",
]
