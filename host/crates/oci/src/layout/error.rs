//! Why no image was found.

use std::io;

use graph::{Blame, Diagnostic};

use crate::Digest;
use crate::compression::DecodeError;

/// Why files are not the image that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// They are no image at all.
    #[error("there is no image: neither `index.json` nor `manifest.json` is there")]
    NoImage,
    /// They are of a version that is not known.
    #[error("the image layout has the version `{0}`; only 1.0.0 is understood")]
    Version(String),
    /// A file cannot be read, or is missing.
    #[error("`{path}` of the image cannot be read")]
    Read {
        /// The file.
        path: String,
        /// What was answered.
        source: io::Error,
    },
    /// A file does not say what it should.
    #[error("`{path}` of the image makes no sense: {source}")]
    Json {
        /// The file.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A layer cannot be decompressed.
    #[error("`{path}` of the image is unreadable: {source}")]
    Layer {
        /// The file.
        path: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// A file is not what its digest says.
    #[error("`{path}` of the image has the digest {found}, not {expected}")]
    Digest {
        /// The file.
        path: String,
        /// By what points to it.
        expected: Digest,
        /// Of what was read.
        found: Digest,
    },
    /// No image has the tag.
    #[error("no image has the tag `{tag}`; there are: {}", list(.known))]
    NoTag {
        /// That was asked for.
        tag: String,
        /// The tags that there are.
        known: Vec<String>,
    },
    /// There are several images.
    #[error("there are several images: {}", list(.0))]
    Several(Vec<String>),
    /// No image is for the platform.
    #[error("there is no image for `{wanted}`; there are: {}", list(.known))]
    Platform {
        /// That was asked for.
        wanted: String,
        /// For which there are images.
        known: Vec<String>,
    },
    /// Indexes in indexes in indexes.
    #[error("the index of the image has indexes more than {0} deep")]
    Deep(usize),
    /// The configuration and the manifest disagree.
    #[error("the configuration of the image has {in_config} layers, and its manifest {in_manifest}")]
    Layers {
        /// How many.
        in_config: usize,
        /// How many.
        in_manifest: usize,
    },
}

fn list(names: &[String]) -> String {
    const MAX_SHOWN: usize = 20;
    if names.is_empty() {
        return "none with a name".to_owned();
    }
    let shown: Vec<String> = names.iter().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MAX_SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

impl Diagnostic for LayoutError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { source, .. } if source.kind() != io::ErrorKind::NotFound => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoImage => {
                Some("name an image layout, or a file that `docker save` or `skopeo copy` wrote".to_owned())
            }
            Self::NoTag { .. } | Self::Several(_) => Some("name one of them".to_owned()),
            Self::Platform { .. } => Some("ask for one of them, or get the image for this platform".to_owned()),
            Self::Digest { .. } | Self::Layer { .. } => Some("write the image again: it is damaged".to_owned()),
            Self::Version(_) | Self::Read { .. } | Self::Json { .. } | Self::Deep(_) | Self::Layers { .. } => None,
        }
    }
}
