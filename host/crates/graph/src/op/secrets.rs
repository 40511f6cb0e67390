//! Which secrets a command gets.

use super::{ExecOp, MountKind, SecretName};

impl ExecOp {
    /// Returns the secrets that the command gets: those in variables, then those in files, each in its order.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        let files = self.mounts.iter().filter_map(|mount| match &mount.kind {
            MountKind::Secret { name, .. } => Some(name),
            _ => None,
        });
        self.secret_env.iter().map(|(_, name)| name).chain(files)
    }
}
