//! Builds C projects that use `configure` and `make`.
//!
//! The stages are in [`stages`]. [`project`] configures and compiles a project, and [`program`]
//! compiles a program that uses it.

mod program;
mod project;

use guest_sdk::prelude::*;
use program::Program;
use project::{Project, tools};

/// Builds and tests C projects that have a `configure` script or a `Makefile`, with the tools of an
/// image or of this machine.
///
/// Every step runs without a network, on a copy of the sources. `build` and `test` share the
/// compiled tree if they get the same flags.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Unpacks an archive of sources, without its top directory.
    pub fn unpack(
        /// An archive that `tar` can unpack.
        archive: &File,
        /// An image with `tar`; the default is this machine.
        base: Option<Container>,
    ) -> Directory {
        project::unpacked(&tools(base), archive)
    }

    /// Configures, compiles and installs the project, and returns the installed files.
    ///
    /// The directory is laid out as below `DESTDIR`: with the prefix `/usr/local`, headers are in
    /// `usr/local/include`.
    pub fn build(
        /// The source tree.
        src: Option<Directory>,
        /// The source tree as an archive that `tar` can unpack, instead of `src`.
        archive: Option<File>,
        /// The number of files to compile at the same time; the default is 2.
        jobs: Option<u32>,
        /// Flags for the compiler, such as `-O3 -g`; the default is the project's own flags.
        cflags: Option<String>,
        /// The directory in which the project will be installed; the default is `/usr/local`.
        prefix: Option<String>,
        /// Additional arguments for the `configure` script.
        configure_args: Option<Vec<String>>,
        /// An image with a compiler and `make`; the default is this machine.
        base: Option<Container>,
    ) -> Result<Directory> {
        let tools = tools(base);
        let src = project::source(&tools, src, archive)?;
        Project::new(tools, src, jobs, cflags, prefix, configure_args)?.installed()
    }

    /// Configures and compiles the project, runs its own tests, and returns their output.
    #[check]
    #[expect(clippy::too_many_arguments, reason = "each is a flag of its own")]
    pub fn test(
        /// The source tree.
        src: Option<Directory>,
        /// The source tree as an archive that `tar` can unpack, instead of `src`.
        archive: Option<File>,
        /// The number of files to compile at the same time; the default is 2.
        jobs: Option<u32>,
        /// Flags for the compiler, such as `-O3 -g`; the default is the project's own flags.
        cflags: Option<String>,
        /// The directory in which the project will be installed; the default is `/usr/local`.
        prefix: Option<String>,
        /// Additional arguments for the `configure` script.
        configure_args: Option<Vec<String>>,
        /// The target of the `Makefile` that runs the tests; the default is `check`.
        target: Option<String>,
        /// An image with a compiler and `make`; the default is this machine.
        base: Option<Container>,
    ) -> Result<String> {
        let tools = tools(base);
        let src = project::source(&tools, src, archive)?;
        let compiled = Project::new(tools, src, jobs, cflags, prefix, configure_args)?.compiled()?;
        let tested = compiled
            .with_exec_options(["make", target.as_deref().unwrap_or("check")], ExecOptions::new().without_network());
        tested.combined_output().context("the test suite")
    }

    /// Returns a static library from the result of `build`.
    pub fn library(
        /// The result of `build`.
        build: &Directory,
        /// The name of the library for the linker, such as `z` for `libz.a`.
        name: &str,
    ) -> Result<File> {
        let found = build.glob(format!("**/lib{name}.a"))?;
        match &found[..] {
            [path] => Ok(build.file(path)),
            [] => bail!("no `lib{name}.a` was installed; there are: {}", build.glob("**/*.a")?.join(", ")),
            several => bail!("`lib{name}.a` was installed more than once: {}", several.join(", ")),
        }
    }

    /// Compiles a program that uses the installed project, runs it, and returns its output.
    pub fn use_library(
        /// The result of `build`.
        build: &Directory,
        /// The source file of the program.
        program: &File,
        /// The libraries to link, such as `z` for `libz`.
        libraries: &[String],
        /// The prefix of the project; the default is `/usr/local`.
        prefix: Option<&str>,
        /// The arguments of the program.
        args: Option<Vec<String>>,
        /// An image with a compiler; the default is this machine.
        base: Option<Container>,
    ) -> Result<String> {
        let mut run = args![program::PATH];
        run.extend(args.unwrap_or_default());
        Program { source: program, libraries, build, prefix }
            .compiled(&tools(base))
            .with_exec_options(run, ExecOptions::new().without_network().timeout_seconds(60))
            .stdout()
    }

    /// Compresses and restores a text with an installed zlib, and returns the version of the
    /// library and the sizes.
    #[check]
    pub fn smoke(
        /// The result of `build` for the sources of zlib.
        build: &Directory,
        /// The prefix of zlib; the default is `/usr/local`.
        prefix: Option<&str>,
        /// An image with a compiler; the default is this machine.
        base: Option<Container>,
    ) -> Result<String> {
        let program = File::new("roundtrip.c", include_str!("roundtrip.c"));
        use_library(build, &program, &["z".to_owned()], prefix, None, base)
    }

    /// Returns an image that contains only a program, which is linked statically with the installed
    /// project.
    pub fn image(
        /// The result of `build`.
        build: &Directory,
        /// The source file of the program.
        program: &File,
        /// The libraries to link, such as `z` for `libz`.
        libraries: &[String],
        /// The prefix of the project; the default is `/usr/local`.
        prefix: Option<&str>,
        /// The version for the label of the image.
        version: Option<&str>,
        /// An image with a compiler; the default is this machine.
        base: Option<Container>,
    ) -> Container {
        let linked = Program { source: program, libraries, build, prefix }.linked(&tools(base));
        Container::new()
            .with_file(program::PATH, linked)
            .with_entrypoint([program::PATH])
            .with_label("org.opencontainers.image.version", version.unwrap_or("unknown"))
    }
}
