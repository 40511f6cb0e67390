//! A program that contains a whole pipeline: `program NAME...` builds one greeting for each name,
//! tests all of them at the same time, and packs them.

use guest_sdk::prelude::*;

fn main() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!names.is_empty(), "nobody to greet: give names as arguments");
    let sources = Directory::new().with_new_file("greet.sh", "echo \"hello, $1\"\n");
    let built = build(&sources, &names);
    println!("testing {} greetings", names.len());
    for (name, greeting) in names.iter().zip(test(&built)?) {
        println!("{name}: {}", greeting.trim_end());
    }
    println!("packed {} files", pack(&built, &names).entries()?.len());
    Ok(())
}

/// Returns one container for each name, with its greeting in `/out`.
fn build(sources: &Directory, names: &[String]) -> Vec<Container> {
    let root = machine::rootfs().with_directory("/src", sources).with_workdir("/src");
    let greet = |name| root.with_exec(["sh", "-e", "-c", "mkdir /out; sh greet.sh \"$0\" > \"/out/$0\"", name]);
    names.iter().map(|name| greet(name)).collect()
}

/// Evaluates all of them at the same time, and returns the greetings.
fn test(built: &[Container]) -> Result<Vec<String>> {
    sync_all(built)?;
    let greetings = built.iter().map(|container| container.with_exec(["sh", "-c", "cat /out/*"]).stdout());
    greetings.collect()
}

/// Returns one directory with all greetings.
fn pack(built: &[Container], names: &[String]) -> Directory {
    let greeting = |(container, name): (&Container, &String)| container.file(format!("/out/{name}"));
    Directory::new().with_files("/", built.iter().zip(names).map(greeting))
}
