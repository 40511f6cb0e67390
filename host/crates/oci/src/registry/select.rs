//! Selects the image for a platform from an index.
//!
//! Source: OCI image-spec 1.1, `image-index.md`.

use graph::Platform;

use super::error::Problem;
use crate::image::{ConfigFile, DOCKER_MANIFEST, Descriptor, ImagePlatform, Index, MANIFEST};
use crate::platform::{rank, show};

/// Returns the image for a platform. Of several variants that run there, it is the newest.
pub(super) fn select<'a>(index: &'a Index, wanted: &Platform) -> Result<&'a Descriptor, Problem> {
    let images = || index.manifests.iter().filter(|it| is_image(it));
    let ranked = images().filter_map(|it| Some((rank(it.platform.as_ref()?, wanted)?, it)));
    // Of equal entries, the first is the one that the author prefers.
    let best = ranked.reduce(|best, next| if next.0 > best.0 { next } else { best });
    // If the index has no platform, the configuration of the image decides.
    let only = || images().next().filter(|it| it.platform.is_none() && images().count() == 1);
    best.map(|(_, it)| it).or_else(only).ok_or_else(|| {
        let available = images().filter_map(|it| it.platform.as_ref()).map(show);
        wrong_platform(wanted, available.collect())
    })
}

/// Checks the platform in the configuration of an image that has no platform in an index.
pub(super) fn check_config(config: &ConfigFile, wanted: &Platform) -> Result<(), Problem> {
    let (os, architecture, variant) = (config.os.clone(), config.architecture.clone(), config.variant.clone());
    if os.is_empty() && architecture.is_empty() {
        return Ok(());
    }
    let found = ImagePlatform { architecture, os, variant };
    rank(&found, wanted).map(|_| ()).ok_or_else(|| wrong_platform(wanted, vec![show(&found)]))
}

fn wrong_platform(wanted: &Platform, mut available: Vec<String>) -> Problem {
    available.sort();
    available.dedup();
    Problem::WrongPlatform { wanted: wanted.to_string(), available }
}

/// Returns whether an entry is an image. Indexes contain attestations as images for an unknown
/// platform.
fn is_image(descriptor: &Descriptor) -> bool {
    let is_manifest = descriptor.media_type == MANIFEST || descriptor.media_type == DOCKER_MANIFEST;
    is_manifest && descriptor.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    fn descriptor(platform: &str) -> Descriptor {
        let mut parts = platform.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        Descriptor {
            media_type: MANIFEST.to_owned(),
            digest: Digest::of(platform.as_bytes()),
            size: 1,
            platform: Some(ImagePlatform { architecture, os, variant: parts.next() }),
            annotations: Default::default(),
        }
    }

    fn check(there: &[&str], wanted: &str, expected: &str) {
        let manifests = there.iter().map(|platform| descriptor(platform)).collect();
        let index = Index { schema_version: 2, media_type: None, manifests, annotations: Default::default() };
        let selected = match select(&index, &wanted.parse().unwrap()) {
            Ok(found) => show(found.platform.as_ref().unwrap()),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(selected, expected, "{wanted} of {there:?}");
    }

    #[test]
    fn the_newest_variant_that_runs_is_chosen() {
        let all = ["linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/arm64/v8", "unknown/unknown"];
        check(&all, "linux/amd64", "linux/amd64");
        check(&all, "linux/arm64", "linux/arm64/v8");
        check(&all, "linux/arm", "linux/arm/v7");
        check(&all, "linux/arm/v6", "linux/arm/v6");
        check(&all, "linux/arm/v8", "linux/arm/v7");
        check(&["linux/arm/v7"], "linux/arm/v6", "it has no image for `linux/arm/v6`; there is `linux/arm/v7`");
        check(&["linux/amd64/v3", "linux/amd64"], "linux/amd64", "linux/amd64");
        check(&["linux/amd64", "linux/amd64/v3"], "linux/amd64/v4", "linux/amd64/v3");
        check(&["linux/arm64"], "linux/arm64/v8", "linux/arm64");
        check(&["linux/x86_64"], "linux/amd64", "linux/x86_64");
    }

    #[test]
    fn what_there_is_is_listed() {
        let expected = "it has no image for `linux/s390x`; there is `linux/amd64`, `windows/amd64`";
        check(&["windows/amd64", "linux/amd64", "linux/amd64", "unknown/unknown"], "linux/s390x", expected);
        check(&["unknown/unknown"], "linux/amd64", "it has no image for `linux/amd64`, nor for any other platform");
        check(&[], "linux/amd64", "it has no image for `linux/amd64`, nor for any other platform");
    }
}
