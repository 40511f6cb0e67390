//! C projects that are built by `configure` and `make`.
//!
//! The stages are in [`stages`]. What they share is [`project`], which knows how such
//! a project is configured and compiled, and [`program`], which knows how one is
//! compiled against it.

mod program;
mod project;

use guest_sdk::prelude::*;
use program::Program;
use project::{Project, tools};

/// Builds and tests C projects that have a `configure` script or a `Makefile`, with the
/// compiler and the tools of an image, or of this machine.
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
        /// An image with `tar`; this machine's tools unless given.
        base: Option<Container>,
    ) -> Directory {
        project::unpacked(&tools(base), archive)
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
        /// An image with a compiler and `make`; this machine's tools unless given.
        base: Option<Container>,
    ) -> Result<Directory> {
        let tools = tools(base);
        let src = project::source(&tools, src, archive)?;
        Project::new(tools, src, jobs, cflags, prefix, configure_args)?.installed()
    }

    /// Configures and compiles the project, runs its own test suite and returns what
    /// that wrote.
    #[expect(clippy::too_many_arguments, reason = "each is a flag of its own")]
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
        /// An image with a compiler and `make`; this machine's tools unless given.
        base: Option<Container>,
    ) -> Result<String> {
        let tools = tools(base);
        let src = project::source(&tools, src, archive)?;
        let compiled = Project::new(tools, src, jobs, cflags, prefix, configure_args)?.compiled()?;
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
        /// An image with a compiler; this machine's tools unless given.
        base: Option<Container>,
    ) -> Result<String> {
        let mut run = args![program::PATH];
        run.extend(args.unwrap_or_default());
        Program { source: program, libraries, build, prefix }
            .compiled(&tools(base))
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
        /// An image with a compiler; this machine's tools unless given.
        base: Option<Container>,
    ) -> Result<String> {
        let program = File::new("roundtrip.c", include_str!("roundtrip.c"));
        use_library(build, &program, &["z".to_owned()], prefix, None, base)
    }

    /// Returns an image that runs a program, statically linked with the installed
    /// project, and has nothing else in it.
    pub fn image(
        /// What `build` returned.
        build: &Directory,
        /// The source of the program.
        program: &File,
        /// The libraries that it is linked with: `z` for `libz`.
        libraries: &[String],
        /// The prefix that the project was built with; `/usr/local` unless given.
        prefix: Option<&str>,
        /// The version that the image is labelled with.
        version: Option<&str>,
        /// An image with a compiler; this machine's tools unless given.
        base: Option<Container>,
    ) -> Container {
        let linked = Program { source: program, libraries, build, prefix }.linked(&tools(base));
        Container::new()
            .with_file(program::PATH, linked)
            .with_entrypoint([program::PATH])
            .with_label("org.opencontainers.image.version", version.unwrap_or("unknown"))
    }
}
