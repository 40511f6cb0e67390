//! The SDKs of other languages: what is generated of the WIT package is in the tree, and is compared here.
//!
//! `UPDATE_EXPECT=1 cargo test --test sdk` writes it anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod front_end;
mod javascript;
mod package;
mod python;

use std::path::PathBuf;

use expect_test::expect_file;

use package::Package;

fn file(path: &str) -> PathBuf {
    testkit::root().join("guest-sdk").join(path)
}

#[test]
fn the_python_sdk_has_every_function_of_the_package() {
    let package = Package::read();
    expect_file![file("python/host_sdk/api.py")].assert_eq(&python::objects(&package));
    for interface in package::FUNCTIONS {
        let name = interface.replace('-', "_");
        expect_file![file(&format!("python/host_sdk/{name}.py"))].assert_eq(&python::functions(&package, interface));
    }
}

#[test]
fn the_javascript_sdk_has_every_function_of_the_package() {
    let package = Package::read();
    expect_file![file("javascript/host-sdk/api.js")].assert_eq(&javascript::objects(&package));
    expect_file![file("javascript/host-sdk/api.d.ts")].assert_eq(&javascript::types(&package));
    for interface in package::FUNCTIONS {
        let path = format!("javascript/host-sdk/{interface}.js");
        expect_file![file(&path)].assert_eq(&javascript::functions(&package, interface));
    }
}
