//! `host watch`, as far as it ends; that it goes on is tested with the real program.

use expect_test::expect;

use crate::world::check;

#[test]
fn what_was_typed_wrongly_is_not_watched() {
    check(
        &["watch"],
        &expect![[r#"
        exit 2
        -- stderr
        error: `host watch` needs a stage
        hint: module `demo` has: hello, add, switch, render, limit, limit-all, mixed, pair, build, sum, login, cached, test, shell, all, names, info, maybe, nothing, bytes, refuse, command-fails, trap, cancelled, broken
        usage: host watch [-m MODULE] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...
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
          caused by: there is no directory at `nowhere`
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

        Usage: host call shell [METHOD...]

        Returns a container, with the methods:
          id                          Returns the digest of the definition.
          with-platform               For this platform, as in `linux/arm64`.
          from-image                  With the root file system and the configuration of an image; variables, labels and ports set before stay unless the image sets them.
          import-image                With the root file system and the configuration of an image in a file: an OCI layout or a docker-archive, its `tag` if it holds several.
          import-layout               Like `import-image`, from the directory of an OCI layout.
          build                       What a Dockerfile in a directory makes.
          with-rootfs                 With this directory as its root file system.
          rootfs                      Its root file system, without what is mounted.
          with-env-variable           With an environment variable; one of that name is replaced in place.
          with-env-variable-expanded  Like `with-env-variable`, with `$NAME` and `${NAME}` in the value expanded.
          without-env-variable        Without that variable.
          with-secret-variable        With an environment variable whose value only commands see.
          without-secret-variable     Without that secret variable.
          with-workdir                With this working directory, made if it is missing.
          without-workdir             With the working directory `/`.
          with-user                   Commands run as this user: `name`, `name:group`, `uid` or `uid:gid`.
          without-user                Commands run as root.
          with-entrypoint             With this entrypoint, and without default arguments.
          without-entrypoint          Without an entrypoint, and without default arguments.
          with-default-args           With these arguments where a command has none.
          without-default-args        Without default arguments.
          with-label                  With a label of the image.
          without-label               Without that label.
          with-annotation             With an annotation of the image's manifest.
          without-annotation          Without that annotation.
          with-exposed-port           With a port that its service listens on.
          without-exposed-port        Without that port.
          with-new-file               With a file of these contents at `path`, mode 0644; parents are made.
          with-new-file-options       Like `with-new-file`, with any bytes, a mode and an owner.
          with-new-directory          With an empty directory at `path`, mode 0755.
          with-file                   With a copy of the file at `path`, as `directory.with-file` has it.
          with-file-options           Like `with-file`, with an owner and a mode.
          with-files                  With a copy of each file in the directory `path`.
          with-directory              With a copy of the contents of a directory at `path`, merged into what is there.
          with-directory-options      Like `with-directory`, with patterns, an owner and a mode.
          with-symlink                With a symbolic link at `link-name` that points to `target`.
          without-file                Without the file at `path`; nothing happens where there is none.
          without-files               Without these files.
          without-directory           Without the directory at `path`.
          with-mounted-directory      With a directory mounted at `path`, over what is there.
          with-mounted-directory-options
                                      Like `with-mounted-directory`, read-only or with an owner.
          with-mounted-file           With a file mounted at `path`, read-only.
          with-mounted-cache          With a cache volume mounted at `path`.
          with-mounted-cache-options  Like `with-mounted-cache`, with sharing, owner and seed.
          with-mounted-secret         With a secret as a file at `path`, mode 0400, that only commands see.
          with-mounted-secret-options
                                      Like `with-mounted-secret`, with an owner and a mode.
          with-mounted-temp           With an empty directory in memory at `path`, new for each command.
          with-mounted-temp-options   Like `with-mounted-temp`, with a size and a mode.
          without-mount               Without the mount at `path`: what is under it shows again.
          with-service-binding        With a service that is started before each command and reached under `alias`.
          with-exec                   With a command that is run, in the container as it is then.
          with-exec-options           Like `with-exec`, with options.
          with-error                  A container whose evaluation fails with this message; with an empty one, the same container.
          directory                   The directory at `path`, be it in the root file system or in a mount.
          file                        The file at `path`.
          as-tarball                  The container as an image in a file: an OCI layout that `docker load` takes.
          as-service                  The container as a service that runs its default arguments.
          stdout                      returns what the last command wrote to its standard output.
          stderr                      returns what the last command wrote to its standard error.
          combined-output             returns both in the order in which they arrived.
          exit-code                   returns the exit code of the last command.
          env-variable                returns the value of a variable, if it is set.
          env-variables               returns all variables in the order in which they were set.
          entrypoint                  returns the entrypoint.
          default-args                returns the default arguments.
          user                        returns the user; empty for root.
          workdir                     returns the working directory.
          platform                    returns the platform, as in `linux/amd64`.
          label                       returns the value of a label, if it is set.
          labels                      returns all labels, sorted by name.
          annotations                 returns all annotations, sorted by name.
          exposed-ports               returns the exposed ports, sorted.
          mounts                      returns the paths of the mounts in the order in which they were made.
          image-ref                   returns the reference of its image, pinned by digest.
          exists                      returns whether something is at `path`, links not followed.
          sync                        evaluates it, for its effect or to see whether it can be had.
          start                       Begins its evaluation in the background and returns at once; a later LEAF joins it.

        `host call --help` shows the options of every call.
    "#]],
    );
}
