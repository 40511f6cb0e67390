//! `host watch`, as far as it ends; that it goes on is tested with the real program.

use expect_test::expect;

use crate::world::check;

#[test]
fn what_was_typed_wrongly_is_not_watched() {
    check(
        &["watch", "hello", "shell", "helo"],
        &expect![[r#"
        exit 2
        -- stderr
        error: module `demo` has no stage `helo`
        hint: did you mean `hello`?
    "#]],
    );
    check(
        &["watch", "hello", "helo"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `hello` returns `string`, which has no method `helo`
        hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
    "#]],
    );
    check(
        &["watch", "add", "hello"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `add` needs `a` (s32) and `b` (u8)
        hint: give it by `--arg add.a=VALUE` and `--arg add.b=VALUE`, or by `args` under `[stages.add]` in the manifest
    "#]],
    );
    check(
        &["watch", "hello", "--nam", "x"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `hello` has no flag `--nam`
        hint: did you mean `--name`?
        usage: host call hello [--name TEXT]
    "#]],
    );
    check(
        &["watch", "build", "--src", "nowhere"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot use flag `--src` of stage `build`
              caused by: there is no directory at `nowhere` in `$ROOT`
        "#]],
    );
}

#[test]
fn help_of_a_stage_ends_it() {
    check(
        &["watch", "shell", "--help"],
        &expect![[r#"
            exit 0
            -- stdout
            Calls the stage `shell`.

            Usage: host call shell [METHOD]...



            It returns a container, whose methods can be called behind it.

            Methods that return a container:
              with-platform               Sets the platform, such as `linux/arm64`.
              from-image                  Replaces the root file system and the configuration by those of an
                                          image.
              import-image                Replaces the root file system and the configuration by those of an
                                          image in a file, which is an OCI archive or a file that `docker save`
                                          wrote.
              import-layout               Does the same for an image in the directory of an OCI layout.
              build                       Builds the Dockerfile in the directory `context`, and returns the
                                          resulting container.
              with-rootfs                 Replaces the root file system by this directory.
              with-env-variable           Sets an environment variable.
              with-env-variable-expanded  Sets an environment variable, after replacing `$NAME` and `${NAME}` in
                                          the value by variables of the container.
              without-env-variable        Removes an environment variable.
              with-secret-variable        Sets an environment variable to the value of a secret, which only
                                          commands see.
              without-secret-variable     Removes a secret variable.
              with-volatile-variable      Sets a variable that commands see and that is part of no cache key,
                                          such as the number of a build: with another value, no command runs
                                          again.
              without-volatile-variable   Removes a volatile variable.
              with-workdir                Sets the working directory, and creates it if it does not exist.
              without-workdir             Sets the working directory to `/`.
              with-user                   Sets the user of commands: `name`, `name:group`, `uid` or `uid:gid`.
              without-user                Sets the user of commands to root.
              with-entrypoint             Sets the entrypoint and removes the default arguments.
              without-entrypoint          Removes the entrypoint and the default arguments.
              with-default-args           Sets the arguments of a command that has none.
              without-default-args        Removes the default arguments.
              with-label                  Sets a label of the image.
              without-label               Removes a label.
              with-annotation             Sets an annotation of the image manifest.
              without-annotation          Removes an annotation.
              with-exposed-port           Adds a port on which the service of the container listens.
              without-exposed-port        Removes an exposed port.
              with-new-file               Adds a file with these contents at `path`, with mode 0644.
              with-new-directory          Adds an empty directory at `path`, with mode 0755.
              with-file                   Adds a copy of the file at `path`.
              with-files                  Adds a copy of each file to the directory at `path`.
              with-directory              Adds a copy of the contents of a directory at `path`, and merges them
                                          with what exists there.
              with-symlink                Adds a symbolic link at `link-name` that points to `target`.
              without-file                Removes the file at `path`.
              without-files               Removes each of these files.
              without-directory           Removes the directory at `path`.
              with-mounted-directory      Mounts a directory at `path`, which hides what exists there.
              with-mounted-file           Mounts a file at `path`, read-only.
              with-mounted-cache          Mounts a cache volume at `path`.
              with-mounted-secret         Mounts a secret as a file at `path`, with mode 0400.
              with-mounted-temp           Mounts an empty directory in memory at `path`, with mode 1777.
              without-mount               Removes the mount at `path`, so that what it hid is visible again.
              with-service-binding        Starts a service before each command, which reaches it under the host
                                          name `alias`.
              with-exec                   Adds a command that runs in the container as it is at this point.
              with-error                  Returns a container whose evaluation fails with the code `custom` and
                                          this message.

            Methods that return a directory:
              rootfs     Returns the root file system, without what is mounted.
              directory  Returns the directory at `path`, in the root file system or in a mount.

            Methods that return a file:
              file               Returns the file at `path`, in the root file system or in a mount.
              as-tarball         Returns the container as an image in one file: an OCI archive that `docker
                                 load` also reads.
              as-docker-tarball  Returns the same file with Docker's media types in place of those of the OCI,
                                 for programs that do not know these.

            Methods that return a service:
              as-service  Returns a service that runs the default arguments of the container.

            Methods that return a value:
              id               Returns the digest of the definition, which identifies what was asked for.
              stdout           Returns the standard output of the last command.
              stderr           Returns the standard error of the last command.
              combined-output  Returns the standard output and the standard error of the last command, in the
                               order in which they arrived.
              exit-code        Returns the exit code of the last command.
              env-variable     Returns the value of an environment variable, or nothing if it is not set.
              env-variables    Returns all environment variables, in the order in which they were set.
              entrypoint       Returns the entrypoint.
              default-args     Returns the default arguments.
              user             Returns the user of commands; empty for root.
              workdir          Returns the working directory.
              platform         Returns the platform, such as `linux/amd64`.
              label            Returns the value of a label, or nothing if it is not set.
              labels           Returns all labels, sorted by name.
              annotations      Returns all annotations, sorted by name.
              exposed-ports    Returns the exposed ports, sorted.
              mounts           Returns the paths of the mounts, in the order in which they were added.
              image-ref        Returns the reference of the image with its digest.
              exists           Returns whether something exists at `path`.
              sync             Runs all commands of the container, and fails if one of them fails.
              start            Starts to evaluate the container in the background and returns at once.

            `host call --help` shows the options of every call.
        "#]],
    );
}
