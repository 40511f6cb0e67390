//! The entries of a layer, one after the other, checked before anything is made of them.
//!
//! Every reader of layers goes through here, whether it writes directories or makes trees: the limits and the refusals
//! are the same for all.

use super::error::{EntryError, LayerError};
use super::name::{Name, classify, clean, escape};
use super::tar::{Entry, Kind, Source, TarReader};
use super::{Limits, MAX_SKIPPED, SkipReason, Skipped};

/// The bits of a mode that say what kind of file it is, and those of a socket.
const KIND_BITS: u32 = 0o170_000;
const SOCKET_BITS: u32 = 0o140_000;

/// Takes entries that were checked.
pub(super) trait Target {
    /// Why an entry cannot be taken.
    type Error: From<LayerError>;

    /// Takes an entry, whose data come next from the reader. `at` is for messages.
    ///
    /// A name without a path is the root, which is a directory. Nothing comes here that is left out.
    fn take<S: Source>(
        &mut self,
        reader: &mut TarReader<S>,
        entry: &Entry,
        name: Name,
        at: &str,
    ) -> Result<(), Self::Error>;
}

/// What was read so far.
pub(super) struct Walk {
    limits: Limits,
    is_device_allowed: bool,
    /// Whether names that begin with `.wh.` remove others. They do in layers, and in no other archive.
    has_whiteouts: bool,
    pub(super) n_entries: u64,
    /// Bytes of all files, holes included.
    n_bytes: u64,
    pub(super) n_skipped: u64,
    pub(super) skipped: Vec<Skipped>,
}

impl Walk {
    pub(super) fn new(limits: Limits, is_device_allowed: bool, has_whiteouts: bool) -> Self {
        let skipped = Vec::new();
        Self { limits, is_device_allowed, has_whiteouts, n_entries: 0, n_bytes: 0, n_skipped: 0, skipped }
    }

    /// Gives all entries to the target.
    pub(super) fn all<S: Source, T: Target>(
        &mut self,
        reader: &mut TarReader<S>,
        target: &mut T,
    ) -> Result<(), T::Error> {
        let mut at = "at its start".to_owned();
        loop {
            let entry = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let at = reader.name().map_or(at, |name| format!("in `{}`", escape(name)));
                    return Err(LayerError::stopped(&at, error).into());
                }
            };
            let name = escape(&entry.name);
            self.check_limits(&entry, &name)?;
            at = format!("in `{name}`");
            if let Some(found) =
                self.check(&entry).map_err(|source| LayerError::Entry { name: name.clone(), source })?
            {
                target.take(reader, &entry, found, &at)?;
            }
            at = format!("after `{name}`");
        }
    }

    fn check_limits(&mut self, entry: &Entry, name: &str) -> Result<(), LayerError> {
        let refuse = |what| Err(LayerError::Limit { at: format!("at `{name}`"), what });
        self.n_entries += 1;
        if self.n_entries > self.limits.max_entries {
            return refuse(format!("it has more than {} entries", self.limits.max_entries));
        }
        if entry.kind == Kind::File {
            self.n_bytes = self.n_bytes.saturating_add(entry.size);
        }
        if self.n_bytes > self.limits.max_bytes {
            return refuse(format!("its files have more than {} bytes", self.limits.max_bytes));
        }
        Ok(())
    }

    /// Returns what the name of an entry stands for; none if the entry is left out.
    fn check(&mut self, entry: &Entry) -> Result<Option<Name>, EntryError> {
        let name = match self.has_whiteouts {
            true => classify(&entry.name, &self.limits)?,
            false => Name::Plain(clean(&entry.name, &self.limits)?),
        };
        let reason = match &name {
            Name::Metadata => Some(SkipReason::Metadata),
            Name::Opaque(_) | Name::Whiteout(_) => None,
            Name::Plain(path) if path.is_empty() && entry.kind != Kind::Directory => return Err(EntryError::Root),
            Name::Plain(_) => self.skip_reason(entry),
        };
        if let Some(why) = reason {
            self.skip(entry, why);
            return Ok(None);
        }
        if entry.kind == Kind::Symlink && matches!(name, Name::Plain(_)) {
            match entry.link.len() {
                0 => return Err(EntryError::NoTarget),
                n if n > self.limits.max_path_bytes => return Err(EntryError::LongPath(self.limits.max_path_bytes)),
                _ => {}
            }
        }
        Ok(Some(name))
    }

    fn skip_reason(&self, entry: &Entry) -> Option<SkipReason> {
        match entry.kind {
            _ if is_socket(entry) => Some(SkipReason::Socket),
            Kind::CharacterDevice if entry.device == (0, 0) => Some(SkipReason::WhiteoutDevice),
            Kind::CharacterDevice | Kind::BlockDevice if !self.is_device_allowed => Some(SkipReason::Device),
            Kind::Other(type_) => Some(SkipReason::UnknownType(type_)),
            _ => None,
        }
    }

    fn skip(&mut self, entry: &Entry, why: SkipReason) {
        self.n_skipped += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(Skipped { name: escape(&entry.name), why });
        }
    }
}

/// Returns whether it is a socket: the format has no type for them, but the bits of its mode may say so.
fn is_socket(entry: &Entry) -> bool {
    entry.mode & KIND_BITS == SOCKET_BITS && entry.size == 0 && matches!(entry.kind, Kind::File | Kind::Other(_))
}
