//! A module whose WIT is written by hand and uses the types of the SDK.

use exports::test::by_hand::stages::{Counted, Guest};
use guest_sdk::prelude::*;
use guest_sdk::wit::errors;

guest_sdk::generate!({
    path: ["../../../wit", "wit"],
    world: "test:by-hand/module",
});
guest_sdk::embed_wit!("wit/world.wit");

struct Component;

impl Guest for Component {
    fn count(src: Directory, what: Counted) -> Result<u32, errors::Error> {
        let (directories, files): (Vec<_>, Vec<_>) = src.glob("**")?.into_iter().partition(|path| path.ends_with('/'));
        let mut n_counted = 0;
        if what.contains(Counted::FILES) {
            n_counted += files.len();
        }
        if what.contains(Counted::DIRECTORIES) {
            n_counted += directories.len();
        }
        Ok(n_counted.try_into().map_err(Error::from)?)
    }

    fn fail() -> Result<(), errors::Error> {
        Ok(failing()?)
    }
}

fn failing() -> Result<()> {
    bail!("it always fails")
}

export!(Component);
