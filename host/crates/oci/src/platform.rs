//! Selects the image for a platform.
//!
//! Source: OCI image-spec 1.1, `image-index.md`, and containerd's package `platforms` for variants.

use graph::Platform;

use crate::image::ImagePlatform;

/// Returns how well an image fits the platform, or `None` if it does not run there. A newer variant
/// ranks higher.
pub(crate) fn rank(found: &ImagePlatform, wanted: &Platform) -> Option<u32> {
    let (os, architecture) = (found.os.as_str(), normal(&found.architecture));
    if os != wanted.os || architecture != normal(&wanted.architecture) {
        return None;
    }
    let (has, can) = (level(architecture, found.variant.as_deref()), level(architecture, wanted.variant.as_deref()));
    match (has, can) {
        (Some(has), Some(can)) => (has <= can).then_some(has),
        // A variant that is not a number cannot be compared.
        _ => (found.variant == wanted.variant).then_some(0),
    }
}

fn normal(architecture: &str) -> &str {
    match architecture {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" => "386",
        other => other,
    }
}

/// Returns the number of a variant such as `v7`. Without a variant, it is the common one.
fn level(architecture: &str, variant: Option<&str>) -> Option<u32> {
    match (variant.filter(|variant| !variant.is_empty()), architecture) {
        (None, "arm64") => Some(8),
        (None, "arm") => Some(7),
        (None, _) => Some(1),
        (Some(variant), _) => variant.trim_start_matches('v').parse().ok(),
    }
}

/// Returns a platform as people write it.
pub(crate) fn show(platform: &ImagePlatform) -> String {
    let variant = platform.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    format!("{}/{}{variant}", platform.os, platform.architecture)
}
