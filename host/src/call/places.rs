//! Makes objects from texts: directories and files from paths, secrets from sources, cache volumes from keys. `images`
//! makes containers.

use std::path::{Path, PathBuf};

use api::{CacheVolume, Directory, File, Secret, Value};
use graph::{Op, SecretName, Selection, SourceOp, TreePath};

use crate::config::Config;
use crate::platform::SecretSource;
use crate::report::{Report, Result};

/// Makes objects, and keeps the secrets that it has made.
pub(crate) struct Places<'a> {
    config: &'a Config,
    /// The directory that relative paths start at; the working directory if none.
    base: Option<PathBuf>,
    /// The secrets by the names that stages see.
    pub(crate) secrets: Vec<(String, SecretSource)>,
}

/// The words for something that is neither a file nor a directory.
const SPECIAL: &str = "a pipe, a socket or a device";

/// Patterns that select the files of a directory.
#[derive(Debug, Default, Clone)]
pub(super) struct Patterns {
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
}

impl<'a> Places<'a> {
    /// Begins without secrets, at the working directory of `config`.
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config, base: None, secrets: Vec::new() }
    }

    /// Calls `work` with relative paths starting at `base`.
    pub(crate) fn within<T>(&mut self, base: &Path, work: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.base.replace(base.to_owned());
        let done = work(self);
        self.base = outer;
        done
    }

    fn resolve(&self, text: &str) -> PathBuf {
        match &self.base {
            Some(base) if !text.starts_with('~') => base.join(text),
            _ => self.config.resolve(text),
        }
    }

    /// Returns the directory at a path of this machine.
    pub(super) fn directory(&self, text: &str, patterns: &Patterns) -> Result<Value> {
        let path = self.existing(text, "directory")?;
        if !path.is_dir() {
            let what = if path.is_file() { "a file" } else { SPECIAL };
            return Err(Report::input(format!("`{text}` is {what}, not a directory")));
        }
        let op = SourceOp::Local {
            path: utf8(&path)?.to_owned(),
            include: patterns.include.clone(),
            exclude: patterns.exclude.clone(),
        };
        Ok(Directory::at(Selection::of(Op::Source(op), Vec::new())).into())
    }

    /// Returns the file at a path of this machine. A link is followed, and the file keeps the name of the link.
    pub(super) fn file(&self, text: &str) -> Result<Value> {
        let path = self.existing(text, "file")?;
        if !path.is_file() {
            let what = if path.is_dir() { "a directory" } else { SPECIAL };
            return Err(Report::input(format!("`{text}` is {what}, not a file")));
        }
        let real_name = TreePath::parse(file_name(&path)).map_err(|error| Report::input(error.to_string()))?;
        let op = SourceOp::Local { path: utf8(&path)?.to_owned(), include: Vec::new(), exclude: Vec::new() };
        let selection = Selection::of(Op::Source(op), Vec::new()).edge.at(real_name);
        let given = self.resolve(text);
        let name = given.file_name().and_then(|name| name.to_str()).unwrap_or(file_name(&path)).to_owned();
        Ok(File { selection, name }.into())
    }

    /// Returns whether the path exists.
    pub(super) fn exists(&self, text: &str) -> bool {
        self.resolve(text).exists()
    }

    /// Returns the absolute path without links, so that the same directory is the same vertex however it is written.
    fn existing(&self, text: &str, what: &str) -> Result<PathBuf> {
        let path = self.resolve(text);
        let base = self.base.as_deref().unwrap_or(&self.config.cwd);
        let place = if text.starts_with(['/', '~']) { String::new() } else { format!(" in `{}`", base.display()) };
        path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                Report::input(format!("there is no {what} at `{text}`{place}"))
            }
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Report::input(format!("there is no {what} at `{text}`: its symbolic links lead in a circle"))
            }
            _ => Report::environment(format!("cannot look at `{text}`")).caused_by(error.to_string()),
        })
    }

    /// Returns the secret that `text` names: `env:NAME`, `file:PATH` or `cmd:COMMAND`, with `by-name:` before it if no
    /// key is to have its value. Stages see it as `name`.
    pub(super) fn secret(&mut self, name: &str, text: &str) -> Result<Value> {
        let source = self.secret_source(text)?;
        let name = self.secret_name(name, &source);
        if !self.secrets.iter().any(|(known, _)| *known == name) {
            self.secrets.push((name.clone(), source));
        }
        Ok(Secret { name: SecretName(name) }.into())
    }

    fn secret_source(&self, text: &str) -> Result<SecretSource> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        // `env://NAME` is how Dagger writes it.
        let rest = match kind {
            "cmd" => rest.strip_prefix("//").unwrap_or(rest),
            _ => rest.strip_prefix("//").filter(|rest| !rest.is_empty()).unwrap_or(rest),
        };
        match kind {
            "by-name" => self.secret_source(rest).map(|source| SecretSource::ByName(Box::new(source))),
            "env" | "file" if rest.is_empty() => Err(Report::usage(format!("`{kind}:` of a secret names nothing"))
                .with_hint("a secret is given as `env:NAME`, `file:PATH` or `cmd:COMMAND`")),
            "env" => match self.config.variables.get(rest) {
                Some(value) => Ok(SecretSource::Env { name: rest.to_owned(), value: Some(value) }),
                None => Err(Report::input(format!("the environment variable `{rest}` of a secret is not set"))
                    .with_hint("set it, or hand the secret over as `file:PATH` or `cmd:COMMAND`")),
            },
            "file" => {
                let path = self.existing(rest, "file")?;
                if path.is_dir() {
                    return Err(Report::input(format!("`{rest}` is a directory, not a file")));
                }
                Ok(SecretSource::File(path))
            }
            "cmd" if !rest.trim().is_empty() => Ok(SecretSource::Command(rest.to_owned())),
            // The text may be a secret that someone typed: it is not repeated.
            _ => Err(Report::usage("a secret is given as `env:NAME`, `file:PATH` or `cmd:COMMAND`, never as itself")),
        }
    }

    /// Returns `name`, with a number if it is the name of another secret already.
    fn secret_name(&self, name: &str, source: &SecretSource) -> String {
        let is_free = |candidate: &str| self.secrets.iter().all(|(known, of)| known != candidate || of == source);
        let numbered = (2..).map(|n| format!("{name}-{n}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|candidate| is_free(candidate)).unwrap_or_default()
    }
}

/// Returns the cache volume of a key.
pub(super) fn cache_volume(key: &str) -> Value {
    CacheVolume { key: key.to_owned() }.into()
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Report::input(format!("the path `{}` is not UTF-8", path.display())))
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
