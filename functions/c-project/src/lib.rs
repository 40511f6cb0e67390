//! C projects that are built by `configure` and `make`.
//!
//! The stages are in [`stages`]; what they share is [`project`], which knows how such
//! a project is configured and compiled.

mod project;

use guest_sdk::prelude::*;
use project::{INSTALLED, Project, machine_with};

/// Builds and tests C projects that have a `configure` script or a `Makefile`, with the
/// compiler and the tools of this machine.
///
/// Every step runs without network, on a copy of the sources. `build` and `test` share
/// the configured and compiled tree when they are asked for the same flags.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Unpacks an archive of sources, without the directory that all of it is in.
    pub fn unpack(
        /// What `tar` can unpack.
        archive: &File,
    ) -> Directory {
        project::unpacked(archive)
    }

    /// Configures, compiles and installs the project and returns what was installed.
    ///
    /// The tree is laid out as under `DESTDIR`: with the prefix `/usr/local`, headers
    /// are in `usr/local/include`.
    pub fn build(
        /// The source tree.
        src: Option<Directory>,
        /// The source tree as an archive that `tar` can unpack, in place of `src`.
        archive: Option<File>,
        /// How many files are compiled at once; 2 unless given.
        jobs: Option<u32>,
        /// Flags of the compiler, such as `-O3 -g`; the project's own unless given.
        cflags: Option<String>,
        /// Where the project is to be installed in the end; `/usr/local` unless given.
        prefix: Option<String>,
        /// Further arguments of the `configure` script.
        configure_args: Option<Vec<String>>,
    ) -> Result<Directory> {
        Project::new(project::source(src, archive)?, jobs, cflags, prefix, configure_args)?.installed()
    }

    /// Configures and compiles the project, runs its own test suite and returns what
    /// that wrote.
    pub fn test(
        /// The source tree.
        src: Option<Directory>,
        /// The source tree as an archive that `tar` can unpack, in place of `src`.
        archive: Option<File>,
        /// How many files are compiled at once; 2 unless given.
        jobs: Option<u32>,
        /// Flags of the compiler, such as `-O3 -g`; the project's own unless given.
        cflags: Option<String>,
        /// Where the project is to be installed in the end; `/usr/local` unless given.
        prefix: Option<String>,
        /// Further arguments of the `configure` script.
        configure_args: Option<Vec<String>>,
        /// The target of the `Makefile` that runs the tests; `check` unless given.
        target: Option<String>,
    ) -> Result<String> {
        let compiled =
            Project::new(project::source(src, archive)?, jobs, cflags, prefix, configure_args)?.compiled()?;
        let tested = compiled
            .with_exec_options(["make", target.as_deref().unwrap_or("check")], ExecOptions::new().without_network());
        tested.combined_output().context("the test suite")
    }

    /// Returns the static library of that name out of what `build` installed.
    pub fn library(
        /// What `build` returned.
        build: &Directory,
        /// The name, as the linker takes it: `z` for `libz.a`.
        name: &str,
    ) -> Result<File> {
        let found = build.glob(format!("**/lib{name}.a"))?;
        match &found[..] {
            [path] => Ok(build.file(path)),
            [] => bail!("no `lib{name}.a` was installed; there are: {}", build.glob("**/*.a")?.join(", ")),
            several => bail!("`lib{name}.a` was installed more than once: {}", several.join(", ")),
        }
    }

    /// Compiles a program against the installed project, runs it and returns what it
    /// wrote.
    pub fn use_library(
        /// What `build` returned.
        build: &Directory,
        /// The source of the program.
        program: &File,
        /// The libraries that it is linked with: `z` for `libz`.
        libraries: &[String],
        /// The prefix that the project was built with; `/usr/local` unless given.
        prefix: Option<&str>,
        /// The arguments of the program.
        args: Option<Vec<String>>,
    ) -> Result<String> {
        let prefix = format!("{INSTALLED}{}", prefix.unwrap_or(project::PREFIX));
        let mut compile = args![
            "cc",
            "-o",
            "program",
            "program.c",
            format!("-I{prefix}/include"),
            format!("-L{prefix}/lib"),
            // The program finds shared libraries where they are now.
            format!("-Wl,-rpath,{prefix}/lib"),
        ];
        compile.extend(libraries.iter().map(|library| format!("-l{library}")));
        let mut run = args!["./program"];
        run.extend(args.unwrap_or_default());
        machine_with(INSTALLED, build)
            .with_file("/work/program.c", program)
            .with_workdir("/work")
            .with_exec_options(compile, ExecOptions::new().without_network())
            .with_exec_options(run, ExecOptions::new().without_network().timeout_seconds(60))
            .stdout()
    }

    /// Sends a text through an installed zlib and back, and returns the library's
    /// version and the sizes.
    pub fn smoke(
        /// What `build` made of the sources of zlib.
        build: &Directory,
        /// The prefix that zlib was built with; `/usr/local` unless given.
        prefix: Option<&str>,
    ) -> Result<String> {
        let program = File::new("roundtrip.c", include_str!("roundtrip.c"));
        use_library(build, &program, &["z".to_owned()], prefix, None)
    }
}
