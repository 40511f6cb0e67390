//! Components for tests.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::ManglingAndAbi;

use crate::wit;

/// Makes a component that traps, of the package `text` and those that it needs.
pub(crate) fn component(text: &str, needs: &[&str]) -> Vec<u8> {
    let (mut resolve, _) = wit::api_package().unwrap();
    for need in needs {
        resolve.push_source("need.wit", need).unwrap();
    }
    let package = resolve.push_source("module.wit", text).unwrap();
    let world = resolve.select_world(&[package], Some("module")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
