//! The values of secrets: read when they are first needed, kept in memory only.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Failure, SecretProvider};
use graph::SecretName;

/// The source of a secret's value. `Debug` shows the source and never the value.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable, which the command line has read already.
    Env {
        /// The name of the variable.
        name: String,
        /// The value of the variable; none if it is not set.
        value: Option<String>,
    },
    /// A file, which is read when the secret is first needed.
    File(PathBuf),
    /// A shell command, which is run when the secret is first needed; the value is what it prints.
    Command(String),
    /// Another source. Keys have only the name of the secret, and not the value.
    ByName(Box<SecretSource>),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { name, value: _ } => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Command(command) => write!(f, "Command({command})"),
            Self::ByName(source) => write!(f, "ByName({source:?})"),
        }
    }
}

/// The secrets of a session, by name.
#[derive(Default)]
pub struct Secrets {
    entries: Mutex<BTreeMap<String, Arc<Entry>>>,
}

struct Entry {
    source: SecretSource,
    /// The value once it was read. It is locked while it is read, so that a command runs once.
    value: Mutex<Option<Vec<u8>>>,
}

impl Secrets {
    /// Adds a secret; one of that name is replaced.
    pub fn add(&self, name: &str, source: SecretSource) {
        lock(&self.entries).insert(name.to_owned(), Arc::new(Entry { source, value: Mutex::default() }));
    }

    fn entry(&self, name: &SecretName) -> Option<Arc<Entry>> {
        lock(&self.entries).get(&name.0).cloned()
    }

    /// Returns a value as text, for `secret-access`.
    ///
    /// # Errors
    /// As [`SecretProvider::value`], and if it is not UTF-8.
    pub fn text(&self, name: &SecretName) -> Result<String, Failure> {
        String::from_utf8(self.value(name)?)
            .map_err(|_| Failure::environment(format!("secret `{}` is not UTF-8", name.0), None))
    }
}

impl SecretProvider for Secrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        let entry = self.entry(name).ok_or_else(|| {
            let hint = "pass it as a flag: `env:NAME`, `file:PATH` or `cmd:COMMAND`";
            Failure::environment(format!("there is no secret `{}`", name.0), Some(hint))
        })?;
        let mut known = lock(&entry.value);
        if let Some(value) = &*known {
            return Ok(value.clone());
        }
        let value = read(&name.0, &entry.source)?;
        Ok(known.insert(value).clone())
    }

    fn is_known_by_name(&self, name: &SecretName) -> bool {
        self.entry(name).is_some_and(|entry| matches!(entry.source, SecretSource::ByName(_)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is in the maps is whole after any panic: each change is one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(name: &str, source: &SecretSource) -> Result<Vec<u8>, Failure> {
    match source {
        SecretSource::Env { value: Some(value), .. } => Ok(value.clone().into_bytes()),
        SecretSource::Env { name: variable, value: None } => {
            let message = format!("secret `{name}` cannot be read: variable `{variable}` is not set");
            Err(Failure::environment(message, Some("set the variable, or pass `file:PATH` or `cmd:COMMAND`")))
        }
        SecretSource::File(path) => std::fs::read(path).map_err(|error| {
            Failure::environment(format!("secret `{name}` cannot be read from `{}`: {error}", path.display()), None)
        }),
        SecretSource::Command(command) => run(name, command),
        SecretSource::ByName(source) => read(name, source),
    }
}

/// Runs a command of the caller's and takes what it prints, less one line end.
fn run(name: &str, command: &str) -> Result<Vec<u8>, Failure> {
    let failed = |what: String| {
        Failure::environment(format!("secret `{name}` cannot be read: command `{command}` {what}"), None)
    };
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if !output.status.success() {
        let how = match output.status.code() {
            Some(code) => format!("exited with code {code}"),
            None => format!("ended with {}", output.status),
        };
        return Err(failed(how));
    }
    let mut value = output.stdout;
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: SecretSource, expect: &str) {
        let secrets = Secrets::default();
        secrets.add("s", source);
        let got = secrets.text(&SecretName("s".to_owned())).unwrap_or_else(|failure| failure.to_string());
        assert_eq!(got, expect);
    }

    #[test]
    fn a_secret_comes_from_a_variable_a_file_or_a_command() {
        check(SecretSource::Env { name: "V".into(), value: Some("x".into()) }, "x");
        check(SecretSource::Command("echo hi; echo ho".into()), "hi\nho");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from a file\n").unwrap();
        check(SecretSource::File(file.path().to_owned()), "from a file\n");
    }

    #[test]
    fn a_command_that_tells_a_secret_runs_once() {
        let directory = tempfile::tempdir().unwrap();
        let told = directory.path().join("told");
        let secrets = Secrets::default();
        secrets.add("s", SecretSource::Command(format!("echo x >> {0}; wc -l < {0}", told.display())));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(secrets.value(&SecretName("s".to_owned())).unwrap(), b"1"));
            }
        });
    }

    #[test]
    fn a_secret_is_known_by_its_name_alone_only_on_request() {
        let secrets = Secrets::default();
        let source = SecretSource::Command("echo x".into());
        secrets.add("value", source.clone());
        secrets.add("name", SecretSource::ByName(Box::new(source)));
        let name = |name: &str| SecretName(name.to_owned());
        assert!(!secrets.is_known_by_name(&name("value")));
        assert!(secrets.is_known_by_name(&name("name")));
        assert_eq!(secrets.text(&name("name")).unwrap(), "x");
    }

    #[test]
    fn debug_shows_where_a_secret_comes_from_and_not_its_value() {
        let source = SecretSource::Env { name: "TOKEN".into(), value: Some("hunter2".into()) };
        assert_eq!(format!("{source:?}"), "Env(TOKEN)");
    }

    #[test]
    fn a_secret_that_cannot_be_read_names_its_source() {
        check(
            SecretSource::Env { name: "V".into(), value: None },
            "secret `s` cannot be read: variable `V` is not set",
        );
        check(
            SecretSource::File("/no/such".into()),
            "secret `s` cannot be read from `/no/such`: No such file or directory (os error 2)",
        );
        check(SecretSource::Command("exit 3".into()), "secret `s` cannot be read: command `exit 3` exited with code 3");
        let missing = Secrets::default().text(&SecretName("t".to_owned())).unwrap_err();
        assert_eq!(missing.to_string(), "there is no secret `t`");
    }
}
