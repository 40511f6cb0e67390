//! Writes the man pages of `host` and its commands into a directory: `cargo run -p host --example man -- DIRECTORY`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let directory: Option<OsString> = std::env::args_os().nth(1);
    let directory = directory.map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("usage: cargo run -p host --example man -- DIRECTORY"))?;
    std::fs::create_dir_all(&directory)?;
    let mut program = host::command();
    program.build();
    let commands: Vec<clap::Command> = program.get_subcommands().cloned().collect();
    write(&directory, "host", program)?;
    for command in commands {
        write(&directory, &format!("host-{}", command.get_name()), command)?;
    }
    Ok(())
}

/// Writes one page. Text that help shows between usage and options belongs to the description of a page.
fn write(directory: &Path, name: &str, command: clap::Command) -> io::Result<()> {
    let texts = [command.get_about(), command.get_before_help()];
    let description: Vec<String> = texts.into_iter().flatten().map(ToString::to_string).collect();
    let command = command.name(name.to_owned()).display_name(name.to_owned()).long_about(description.join("\n\n"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    std::fs::write(directory.join(format!("{name}.1")), page)
}
