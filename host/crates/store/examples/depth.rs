//! Compares what directories in each other cost with what as many directories beside each other cost: the processor time
//! of each kind of work, in milliseconds.
//!
//! `cargo run --release --example depth [N]`
#![expect(clippy::print_stdout, reason = "it is a program for the terminal")]

use std::error::Error;
use std::path::Path;

use graph::{FileOp, TreePath};
use rustix::fs::{Mode, OFlags};
use rustix::time::ClockId;
use store::{IdMap, IngestLimits, Store, empty_tree, ingest_layer, write_layer};

fn main() -> Result<(), Box<dyn Error>> {
    let n = std::env::args().nth(1).map_or(Ok(4000), |text| text.parse())?;
    let names = ["make", "scan", "chown", "filter", "plan", "write", "ingest", "apply", "export", "wipe", "remove"];
    let (deep, wide) = (measure(n, true)?, measure(n, false)?);
    println!("{:8} {:>8} {:>8}", "", "deep", "wide");
    for ((name, deep), wide) in names.iter().zip(deep).zip(wide) {
        println!("{name:8} {deep:8.1} {wide:8.1}");
    }
    Ok(())
}

/// Returns the processor time of this process in milliseconds.
fn now() -> f64 {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Makes `n` directories, each with a file.
fn make(path: &Path, n: usize, is_deep: bool) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir(path)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let mut at = rustix::fs::open(path, flags, Mode::empty())?;
    for i in 0..n {
        let name = if is_deep { "d".to_owned() } else { format!("d{i}") };
        rustix::fs::mkdirat(&at, &*name, Mode::RWXU)?;
        let below = rustix::fs::openat(&at, &*name, flags, Mode::empty())?;
        let file = rustix::fs::openat(&below, "f", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR)?;
        rustix::io::write(&file, i.to_string().as_bytes())?;
        if is_deep {
            at = below;
        }
    }
    Ok(())
}

fn measure(n: usize, is_deep: bool) -> Result<Vec<f64>, Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("host-depth-{}-{is_deep}", std::process::id()));
    std::fs::create_dir(&dir)?;
    let store = Store::open(&dir.join("store"))?;
    let (source, layer, out) = (dir.join("source"), dir.join("layer"), dir.join("out"));
    let (root, blobs, ids) = (TreePath::root(), store.blobs_dir(), IdMap::default());
    let mut times = vec![now()];
    let mut done = || times.push(now());

    make(&source, n, is_deep)?;
    done();
    let tree = store.scan(&source, &[], &[])?.tree;
    done();
    store.apply(&FileOp::Chown { path: root.clone(), owner: "1".to_owned() }, tree, None)?;
    done();
    store.apply(&FileOp::Filter { include: Vec::new(), exclude: vec!["d/*/x".to_owned()] }, tree, None)?;
    done();
    let plan = store.plan_layer(None, tree)?;
    done();
    write_layer(&plan, &layer, &blobs, &ids)?;
    done();
    let contents = ingest_layer(&layer, &blobs, &ids, &IngestLimits::default())?;
    done();
    store.apply_changes(empty_tree(), &contents)?;
    done();
    store.export(tree, &root, &out, false)?;
    done();
    store.export(tree, &root, &out, true)?;
    done();
    store::remove_stubborn(&out)?;
    done();
    store::remove_stubborn(&dir)?;
    Ok(times.windows(2).map(|pair| pair[1] - pair[0]).collect())
}
