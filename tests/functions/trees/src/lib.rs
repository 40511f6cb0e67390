//! Stages that use every method of directories and files, and report what is wrong.

use check::{OK, equal, fails};
use guest_sdk::prelude::*;

/// Checks directories and files, one behaviour per stage, without any power.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// `with_new_file`, `file`, `contents`, `size`, `name`.
    pub fn new_files() -> Result<String> {
        let tree = Directory::new().with_new_file("a/b/c.txt", "hello\n");
        let file = tree.file("a/b/c.txt");
        equal("contents", file.contents()?, "hello\n")?;
        equal("size", file.size()?, 6)?;
        equal("name", file.name(), "c.txt")?;
        equal("entries of the root", tree.entries()?, ["a/"])?;
        equal("entries of a/b", tree.entries_in("a/b")?, ["c.txt"])?;
        equal("a later file wins", tree.with_new_file("a/b/c.txt", "2").file("a/b/c.txt").contents()?, "2")?;
        equal("the first is as it was", file.contents()?, "hello\n")?;
        Ok(OK.into())
    }

    /// `with_new_file_options`, `with_new_directory`, `with_new_directory_options`, `stat`.
    pub fn modes() -> Result<String> {
        let tree = Directory::new()
            .with_new_file("plain", "")
            .with_new_file_options("bin", [0, 159, 146, 150], NewOptions::new().mode(0o755))
            .with_new_directory("dir/sub")
            .with_new_directory_options("private", NewOptions::new().mode(0o700));
        equal("mode of a file", tree.stat("plain")?.mode, 0o644)?;
        equal("mode that was asked for", tree.stat("bin")?.mode, 0o755)?;
        equal("mode of a directory", tree.stat("dir/sub")?.mode, 0o755)?;
        equal("mode of a directory that was asked for", tree.stat("private")?.mode, 0o700)?;
        let stat = tree.file("bin").stat()?;
        equal("stat of a file", (&*stat.name, &*stat.kind, stat.size), ("bin", "file", 4))?;
        equal("kind of a directory", tree.stat("dir")?.kind, "directory")?;
        Ok(OK.into())
    }

    /// `read`, and `contents` of a file that is not text.
    pub fn bytes() -> Result<String> {
        let file = Directory::new().with_new_file_options("f", [1, 2, 255, 4], NewOptions::new()).file("f");
        equal("a part", file.read(1, 2)?, [2, 255])?;
        equal("more than there is", file.read(2, 100)?, [255, 4])?;
        equal("past the end", file.read(100, 1)?, [0u8; 0])?;
        fails("contents that are no text", file.contents(), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `File::new`, `with_name`, `with_replaced`, `with_replaced_all`.
    pub fn file_changes() -> Result<String> {
        let file = File::new("a.txt", "one two two");
        equal("name", file.with_name("b.txt").name(), "b.txt")?;
        equal("contents under another name", file.with_name("b.txt").contents()?, "one two two")?;
        equal("one place", file.with_replaced("one", "1").contents()?, "1 two two")?;
        equal("all places", file.with_replaced_all("two", "2").contents()?, "one 2 2")?;
        fails("two places", file.with_replaced("two", "2").contents(), code::INVALID_ARGUMENT)?;
        fails("no place", file.with_replaced("three", "3").contents(), code::NOT_FOUND)?;
        fails("no place at all", file.with_replaced_all("three", "3").contents(), code::NOT_FOUND)?;
        fails("a name with a slash", File::new("a/b", "").contents(), code::INVALID_PATH)?;
        Ok(OK.into())
    }

    /// `with_file`, `with_files`, `with_file_options`.
    pub fn copied_files() -> Result<String> {
        let file = File::new("a.txt", "a");
        let tree = Directory::new()
            .with_file("renamed", &file)
            .with_file("dir/", &file)
            .with_new_directory("there")
            .with_file("there", &file)
            .with_files("many", [&file, &File::new("b.txt", "b")])
            .with_file_options("bin/tool", &file, CopyOptions::new().mode(0o755));
        let paths = ["bin/tool", "dir/a.txt", "many/a.txt", "many/b.txt", "renamed", "there/a.txt"];
        for path in paths {
            ensure!(tree.exists(path)?, "there is no `{path}`; there are {:?}", tree.glob("**")?);
        }
        equal("mode", tree.stat("bin/tool")?.mode, 0o755)?;
        Ok(OK.into())
    }

    /// `with_directory`, `with_directory_options`, `subdirectory`, `name`.
    pub fn copied_directories() -> Result<String> {
        let src = sources();
        let tree = Directory::new()
            .with_new_file("dst/main.c", "old")
            .with_new_file("dst/kept", "")
            .with_directory("dst", &src);
        equal("merged, the later wins", tree.file("dst/main.c").contents()?, "int main;")?;
        ensure!(tree.exists("dst/kept")?, "what was there is gone");
        equal("name", tree.subdirectory("dst").name(), "dst/")?;
        equal("name of a root", src.name(), "/")?;
        let options = CopyOptions::new().include(["**/*.c", "**/*.h"]).exclude(["vendor"]);
        let chosen = Directory::new().with_directory_options("x", &src, options);
        equal("chosen", files(&chosen.subdirectory("x"))?, ["lib/util.c", "lib/util.h", "main.c"])?;
        Ok(OK.into())
    }

    /// `filter`, `include`, `exclude`.
    pub fn filters() -> Result<String> {
        let src = sources();
        equal("include", files(&src.include(["**/*.md"]))?, ["README.md", "vendor/README.md"])?;
        equal("exclude", files(&src.exclude(["vendor", "**/*.h"]))?, ["README.md", "lib/util.c", "main.c"])?;
        equal("both", files(&src.filter(["lib"], ["**/*.h"]))?, ["lib/util.c"])?;
        equal(
            "taken back",
            files(&src.exclude(["**/*.md", "!README.md", "vendor/**", "lib"]))?,
            ["README.md", "main.c"],
        )?;
        Ok(OK.into())
    }

    /// `without_file`, `without_files`, `without_directory`.
    pub fn removals() -> Result<String> {
        let src = sources();
        ensure!(!src.without_file("main.c").exists("main.c")?, "`main.c` is still there");
        equal("a glob", files(&src.without_file("lib/*.h"))?.len(), 5)?;
        equal("nothing there", files(&src.without_file("nothing"))?.len(), 6)?;
        equal("several", files(&src.without_files(["main.c", "README.md"]))?.len(), 4)?;
        equal("a directory", files(&src.without_directory("vendor"))?.len(), 4)?;
        Ok(OK.into())
    }

    /// `diff`, `merge`.
    pub fn differences() -> Result<String> {
        let old = Directory::new().with_new_file("same", "1").with_new_file("changed", "1").with_new_file("gone", "1");
        let new = Directory::new().with_new_file("same", "1").with_new_file("changed", "2").with_new_file("added", "1");
        equal("diff", files(&old.diff(&new))?, ["added", "changed"])?;
        let merged = old.merge([&new, &Directory::new().with_new_file("same", "3")]);
        equal("merge", files(&merged)?, ["added", "changed", "gone", "same"])?;
        equal("the later wins", merged.file("same").contents()?, "3")?;
        Ok(OK.into())
    }

    /// `with_symlink`.
    pub fn symlinks() -> Result<String> {
        let tree = Directory::new()
            .with_new_file("a.txt", "a")
            .with_symlink("a.txt", "link")
            .with_symlink("nowhere", "dangling");
        equal("kind", tree.stat("link")?.kind, "symlink")?;
        ensure!(tree.exists("dangling")?, "a link to nothing is there, too");
        fails("something is there", tree.with_symlink("x", "a.txt").sync(), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `with_owner`, `with_timestamps`: neither changes the contents of files.
    pub fn metadata() -> Result<String> {
        let src = sources();
        let owned = src.with_owner("/", "1000:1000");
        ensure!(owned.digest()? != src.digest()?, "the owner is in the digest");
        ensure!(src.with_timestamps(0).digest()? != src.digest()?, "times that were asked for are in the digest");
        equal("equal times", src.with_timestamps(7).with_timestamps(0).digest()?, src.with_timestamps(0).digest()?)?;
        equal("contents", owned.file("main.c").contents()?, "int main;")?;
        Ok(OK.into())
    }

    /// `glob`, `entries`.
    pub fn globs() -> Result<String> {
        let src = sources();
        equal("entries", src.entries()?, ["README.md", "lib/", "main.c", "vendor/"])?;
        equal("one level", src.glob("*")?, ["README.md", "lib/", "main.c", "vendor/"])?;
        equal("any depth", src.glob("**/*.md")?, ["README.md", "vendor/README.md"])?;
        equal("one of", src.glob("{main,lib/util}.[ch]")?, ["lib/util.c", "lib/util.h", "main.c"])?;
        equal("none", src.glob("*.rs")?, [""; 0])?;
        Ok(OK.into())
    }

    /// `search`, `search_options`.
    pub fn searches() -> Result<String> {
        let src =
            Directory::new().with_new_file("a.c", "one\n// TODO(x)\n// todo(y)\n").with_new_file("b.md", "TODO(z)");
        let found = |options| -> Result<Vec<(String, u32)>> {
            let found = src.search_options("TODO(", options)?;
            Ok(found.into_iter().map(|found| (found.path, found.line)).collect())
        };
        let plain = || SearchOptions::new().literal();
        let at = |path: &str, line| (path.to_owned(), line);
        equal("literal", found(plain())?, [at("a.c", 2), at("b.md", 1)])?;
        equal("insensitive", found(plain().insensitive())?, [at("a.c", 2), at("a.c", 3), at("b.md", 1)])?;
        equal("globs", found(plain().globs(["*.md"]))?, [at("b.md", 1)])?;
        equal("limit", found(plain().limit(1))?.len(), 1)?;
        equal("files only", found(plain().insensitive().files_only())?, [at("a.c", 2), at("b.md", 1)])?;
        equal("expression", &*src.search(r"^// TODO\(.\)$")?[0].text, "// TODO(x)")?;
        fails("no expression", src.search("("), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `exists`, `digest`, `id`.
    pub fn identity() -> Result<String> {
        let (a, b) = (sources(), sources().without_file("nothing"));
        equal("equal definitions", a.id(), sources().id())?;
        ensure!(a.id() != b.id(), "other definitions have other ids");
        equal("equal contents", a.digest()?, b.digest()?)?;
        let file = a.file("main.c");
        ensure!(file.digest()?.starts_with("blake3:"), "a digest names its function: {}", file.digest()?);
        equal("a file's name is not in its digest", file.with_name("x").digest()?, file.digest()?)?;
        Ok(OK.into())
    }

    /// The errors of paths that do not exist.
    pub fn errors() -> Result<String> {
        let src = sources();
        fails("no file", src.file("nothing").contents(), code::NOT_FOUND)?;
        fails("no directory", src.subdirectory("nothing").entries(), code::NOT_FOUND)?;
        fails("not a file", src.file("lib").contents(), code::NOT_A_FILE)?;
        fails("not a directory", src.subdirectory("main.c").entries(), code::NOT_A_DIRECTORY)?;
        fails("outside", src.file("../x").contents(), code::INVALID_PATH)?;
        fails("outside, inside", src.with_new_file("a/../../x", "").sync(), code::INVALID_PATH)?;
        fails("no stat", src.stat("nothing"), code::NOT_FOUND)?;
        Ok(OK.into())
    }

    /// `start`, `sync`, `sync_all`.
    pub fn many_at_once() -> Result<String> {
        let trees: Vec<Directory> = (0..20).map(|n| Directory::new().with_new_file("n", n.to_string())).collect();
        sync_all(&trees)?;
        let broken = Directory::new().file("nothing");
        let error = sync_all([&trees[0] as &dyn Lazy, &broken]);
        fails("one of them", error, code::NOT_FOUND)?;
        Ok(OK.into())
    }

    /// Returns the sorted paths of the files in a directory of the caller.
    pub fn list(src: &Directory) -> Result<Vec<String>> {
        files(src)
    }
}

/// Returns six files in three directories.
fn sources() -> Directory {
    Directory::new()
        .with_new_file("README.md", "# a")
        .with_new_file("main.c", "int main;")
        .with_new_file("lib/util.c", "int util;")
        .with_new_file("lib/util.h", "extern int util;")
        .with_new_file("vendor/README.md", "# b")
        .with_new_file("vendor/other.c", "int other;")
}

/// Returns the paths of all entries that are not directories.
fn files(tree: &Directory) -> Result<Vec<String>> {
    Ok(tree.glob("**")?.into_iter().filter(|path| !path.ends_with('/')).collect())
}
