//! Unpacks a layer into an empty directory: `unpack LAYER DIRECTORY`. For measuring by hand, with
//! `time` and a release build.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(layer), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err("usage: unpack LAYER DIRECTORY".into());
    };
    let reader = std::fs::File::open(layer)?;
    let unpacked = oci::layer::unpack(reader, directory.as_ref(), &oci::layer::UnpackOptions::default())?;
    writeln!(std::io::stdout(), "{unpacked:#?}")?;
    Ok(())
}
