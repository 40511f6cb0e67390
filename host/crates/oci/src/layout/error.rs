//! The reasons why files do not contain the image.

use std::io;

use graph::{Blame, Diagnostic};

use crate::Digest;
use crate::compression::DecodeError;

/// The reason why files do not contain the image.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The files are not an image.
    #[error("there is no image: neither `index.json` nor `manifest.json` is there")]
    NoImage,
    /// The layout has an unknown version.
    #[error("the image layout has the version `{0}`; only 1.0.0 is understood")]
    Version(String),
    /// A file cannot be read, or is missing.
    #[error("`{path}` of the image cannot be read")]
    Read {
        /// The path of the file.
        path: String,
        /// The error of the source of the files.
        source: io::Error,
    },
    /// A file is not the JSON document that it should be.
    #[error("`{path}` of the image is not valid: {source}")]
    Json {
        /// The path of the file.
        path: String,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
    /// A layer cannot be decompressed.
    #[error("`{path}` of the image cannot be decompressed: {source}")]
    Layer {
        /// The path of the file.
        path: String,
        /// The error of the decoder.
        source: DecodeError,
    },
    /// A file does not have its digest.
    #[error("`{path}` of the image has the digest {found}, not {expected}")]
    Digest {
        /// The path of the file.
        path: String,
        /// The digest in the document that refers to the file.
        expected: Digest,
        /// The digest of the contents.
        found: Digest,
    },
    /// No image has the tag.
    #[error("no image has the tag `{tag}`; there are: {}", list(.known))]
    NoTag {
        /// The tag that was asked for.
        tag: String,
        /// The tags that exist.
        known: Vec<String>,
    },
    /// There are several images, and no tag selects one.
    #[error("there are several images: {}", list(.0))]
    Several(Vec<String>),
    /// No image is for the platform.
    #[error("there is no image for `{wanted}`; there are: {}", list(.known))]
    Platform {
        /// The platform that was asked for.
        wanted: String,
        /// The platforms for which there are images.
        known: Vec<String>,
    },
    /// Indexes are nested too deeply.
    #[error("the index of the image has indexes more than {0} deep")]
    Deep(usize),
    /// The configuration and the manifest have different numbers of layers.
    #[error("the configuration of the image has {in_config} layers, and its manifest {in_manifest}")]
    Layers {
        /// The number of layers in the configuration.
        in_config: usize,
        /// The number of layers in the manifest.
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
