//! Configures, compiles and installs a project.

use guest_sdk::prelude::*;

/// The prefix that projects use by default.
pub(crate) const PREFIX: &str = "/usr/local";

const SRC: &str = "/src";
const DESTDIR: &str = "/out";

/// A project, and the options for building it.
pub(crate) struct Project {
    /// The container with the compiler and the other tools.
    tools: Container,
    src: Directory,
    jobs: u32,
    cflags: Option<String>,
    prefix: String,
    configure_args: Vec<String>,
    /// Whether there is a `configure` script. Without one, `make` gets the options that the script
    /// would get.
    has_configure: bool,
}

impl Project {
    ///
    /// # Errors
    ///
    /// The code is `invalid-argument` if an argument has no meaning, or if the sources are not such
    /// a project.
    pub(crate) fn new(
        tools: Container,
        src: Directory,
        jobs: Option<u32>,
        cflags: Option<String>,
        prefix: Option<String>,
        configure_args: Option<Vec<String>>,
    ) -> Result<Self> {
        let jobs = jobs.unwrap_or(2);
        let prefix = prefix.unwrap_or_else(|| PREFIX.to_owned());
        let refuse = |message: String| Err(Error::new(message).with_code(code::INVALID_ARGUMENT));
        if jobs == 0 {
            return refuse("`jobs` is 0: nothing would be compiled".to_owned());
        }
        if !prefix.starts_with('/') {
            return refuse(format!("the prefix `{prefix}` does not begin with `/`"));
        }
        let has_configure = src.exists("configure")?;
        if !has_configure && !src.exists("Makefile")? {
            let entries = src.entries()?.join(" ");
            return refuse(format!("the sources have neither `configure` nor `Makefile`; there are: {entries}"));
        }
        if !has_configure && configure_args.is_some() {
            return refuse("there are arguments for `configure`, and the sources have no `configure`".to_owned());
        }
        Ok(Self { tools, src, jobs, cflags, prefix, configure_args: configure_args.unwrap_or_default(), has_configure })
    }

    /// Returns the sources after `./configure`.
    fn configured(&self) -> Container {
        let container =
            self.tools.with_directory(SRC, &self.src).with_workdir(SRC).with(|container| match &self.cflags {
                Some(cflags) => container.with_env_variable("CFLAGS", cflags),
                None => container,
            });
        if !self.has_configure {
            return container;
        }
        let mut configure = args!["./configure", format!("--prefix={}", self.prefix)];
        configure.extend(self.configure_args.iter().cloned());
        container.with_exec_options(configure, ExecOptions::new().without_network())
    }

    /// Returns the sources after `make`.
    ///
    /// # Errors
    ///
    /// If the compiler fails.
    pub(crate) fn compiled(&self) -> Result<Container> {
        let make = args!["make", format!("-j{}", self.jobs)];
        let compiled =
            self.configured().with_exec_options(self.with_prefix(make), ExecOptions::new().without_network());
        compiled.sync().context("compiling the sources")?;
        Ok(compiled)
    }

    /// Returns the files that `make install` installs.
    ///
    /// # Errors
    ///
    /// If the compiler fails.
    pub(crate) fn installed(&self) -> Result<Directory> {
        let install = args!["make", "install", format!("DESTDIR={DESTDIR}")];
        let installed = self
            .compiled()?
            .with_new_directory(DESTDIR)
            .with_exec_options(self.with_prefix(install), ExecOptions::new().without_network());
        Ok(installed.directory(DESTDIR))
    }

    /// Adds the prefix to the command if there is no `configure` script. Both spellings are in use,
    /// and a `Makefile` ignores the one that it does not have.
    fn with_prefix(&self, mut make: Vec<String>) -> Vec<String> {
        if !self.has_configure {
            make.extend(args![format!("PREFIX={}", self.prefix), format!("prefix={}", self.prefix)]);
        }
        make
    }
}

/// Returns a container with a compiler, `make` and `tar`: the given image, or this machine.
pub(crate) fn tools(base: Option<Container>) -> Container {
    base.unwrap_or_else(machine::rootfs)
}

/// Returns the sources: a directory, or an archive that is unpacked in a step of its own.
///
/// # Errors
///
/// The code is `invalid-argument` if neither or both are given.
pub(crate) fn source(tools: &Container, src: Option<Directory>, archive: Option<File>) -> Result<Directory> {
    match (src, archive) {
        (Some(src), None) => Ok(src),
        (None, Some(archive)) => Ok(unpacked(tools, &archive)),
        _ => Err(Error::new("give the sources as either `src` or `archive`").with_code(code::INVALID_ARGUMENT)),
    }
}

/// Returns the contents of an archive, without its top directory.
pub(crate) fn unpacked(tools: &Container, archive: &File) -> Directory {
    let unpack = ["tar", "--extract", "--file=/archive", "--strip-components=1", "--no-same-owner", "--directory=/src"];
    tools
        .with_mounted_file("/archive", archive)
        .with_new_directory("/src")
        .with_exec_options(unpack, ExecOptions::new().without_network())
        .directory("/src")
}
