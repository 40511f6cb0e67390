//! Images, in and out.

use backend::{Failure, FailureCode, ImageSource, ImageTarget, ResolvedImage};
use graph::{Edge, Platform};

use crate::embedded::Embedded;

pub(crate) async fn resolve(_: &Embedded, _: &ImageSource, _: &Platform) -> Result<ResolvedImage, Failure> {
    Err(Failure::invalid(FailureCode::Unavailable, "images are not there yet"))
}

pub(crate) async fn publish(_: &Embedded, _: &Edge, _: &ImageTarget) -> Result<String, Failure> {
    Err(Failure::invalid(FailureCode::Unavailable, "images are not there yet"))
}
