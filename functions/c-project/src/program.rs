//! Compiles a program that uses an installed project.

use guest_sdk::prelude::*;

use crate::project::PREFIX;

/// The path of the compiled program.
pub(crate) const PATH: &str = "/program";

/// The path of the installed files. It is not `/`, because `/usr` there contains the tools.
const INSTALLED: &str = "/installed";

/// A program with one source file.
pub(crate) struct Program<'a> {
    pub(crate) source: &'a File,
    pub(crate) libraries: &'a [String],
    /// The files that the project installed.
    pub(crate) build: &'a Directory,
    pub(crate) prefix: Option<&'a str>,
}

impl Program<'_> {
    /// Returns the tools with the installed project and the program, which finds shared libraries
    /// at this place.
    pub(crate) fn compiled(&self, tools: &Container) -> Container {
        self.with_compiler(tools, format!("-Wl,-rpath,{}/lib", self.installed()))
    }

    /// Returns the program, linked statically.
    pub(crate) fn linked(&self, tools: &Container) -> File {
        self.with_compiler(tools, "-static".to_owned()).file(PATH)
    }

    fn with_compiler(&self, tools: &Container, linking: String) -> Container {
        let installed = self.installed();
        let mut compile = args!["cc", "-o", PATH, "/program.c", linking];
        compile.extend(args![format!("-I{installed}/include"), format!("-L{installed}/lib")]);
        compile.extend(self.libraries.iter().map(|library| format!("-l{library}")));
        tools
            .with_directory(INSTALLED, self.build)
            .with_file("/program.c", self.source)
            .with_exec_options(compile, ExecOptions::new().without_network())
    }

    fn installed(&self) -> String {
        format!("{INSTALLED}{}", self.prefix.unwrap_or(PREFIX))
    }
}
