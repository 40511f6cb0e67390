//! Scans a directory and prints the time that it takes: `scan STORE DIRECTORY [TIMES]`.
#![expect(clippy::print_stdout, reason = "it is a program for the terminal")]

use std::path::Path;
use std::time::Instant;

use store::Store;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, store, directory, rest @ ..] = args.as_slice() else {
        return Err("usage: scan STORE DIRECTORY [TIMES]".into());
    };
    let times = rest.first().map_or(Ok(1), |text| text.parse())?;
    for _ in 0..times {
        let start = Instant::now();
        let store = Store::open(Path::new(store))?;
        let opened = start.elapsed();
        let scanned = store.scan(Path::new(directory), &[], &[])?;
        println!(
            "{} files, {} hashed, tree {}, open {opened:.1?}, all {:.1?}",
            scanned.n_files,
            scanned.n_hashed,
            scanned.tree.short(),
            start.elapsed()
        );
    }
    Ok(())
}
