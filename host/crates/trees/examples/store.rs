//! Measures results, layers, the machine and operations on files: `store DIRECTORY [SCANNED]`.
#![expect(clippy::print_stdout, reason = "it is a program for the terminal")]

use std::path::Path;
use std::time::{Duration, Instant};

use graph::{CacheKey, CopyOp, CopySource, FileOp, TreePath};
use store::{IdMap, IngestLimits, NewResult, Origin, Store, empty_tree, ingest_layer, write_layer};

type Done<T> = Result<T, Box<dyn std::error::Error>>;

fn timed<T>(what: &str, work: impl FnOnce() -> Done<T>) -> Done<T> {
    let start = Instant::now();
    let value = work()?;
    println!("{what:44} {:>10.1?}", start.elapsed());
    Ok(value)
}

fn median(what: &str, n: usize, mut work: impl FnMut(usize) -> Done<()>) -> Done<()> {
    let mut times: Vec<Duration> = Vec::new();
    for i in 0..n {
        let start = Instant::now();
        work(i)?;
        times.push(start.elapsed());
    }
    times.sort();
    println!("{what:44} {:>10.1?} (median of {n})", times[n / 2]);
    Ok(())
}

fn key(i: u32) -> CacheKey {
    let mut hasher = graph::KeyHasher::new("bench");
    hasher.number(u64::from(i));
    hasher.cache_key()
}

fn main() -> Done<()> {
    let args: Vec<String> = std::env::args().collect();
    let dir = Path::new(args.get(1).ok_or("usage: store DIRECTORY [SCANNED]")?);
    let store = timed("open", || Ok(Store::open(&dir.join("store"))?))?;
    timed("first lookup (opens the database)", || Ok(store.result(key(0))?))?;
    results(&store)?;
    layers(&store, dir)?;
    timed("machine, first", || Ok(store.machine()?))?;
    let again = Store::open(store.root())?;
    again.result(key(0))?;
    timed("machine, again", || Ok(again.machine()?))?;
    if let Some(scanned) = args.get(2) {
        checkout(&store, dir, Path::new(scanned))?;
    }
    timed("sync_older_rows", || Ok(store.sync_older_rows()?))?;
    timed("usage", || Ok(store.usage()?))?;
    Ok(())
}

fn results(store: &Store) -> Done<()> {
    let value = [7; 200];
    timed("put 1,000 results", || {
        (0..1000).try_for_each(|i| {
            Ok(store.put_result(&NewResult { key: key(i), value: &value, trees: &[], blobs: &[] })?)
        })
    })?;
    let keys: Vec<CacheKey> = (0..1000).map(key).collect();
    timed("100,000 lookups of 1,000 keys", || {
        for i in 0..100_000 {
            store.result(keys[i % 1000])?.ok_or("a result is gone")?;
        }
        Ok(())
    })
}

fn layers(store: &Store, dir: &Path) -> Done<()> {
    let mut tree = empty_tree();
    median("make file", 200, |i| {
        let path = TreePath::parse(&format!("d{}/f{i}", i % 5))?;
        let op = FileOp::MakeFile { path, contents: i.to_string().as_str().into(), mode: 0o644, owner: None };
        tree = store.apply(&op, tree, None)?;
        Ok(())
    })?;
    let mut base = tree;
    median("ingest + apply of an upper of 3 files", 50, |i| {
        let upper = dir.join(format!("upper{i}"));
        std::fs::create_dir_all(upper.join("d1"))?;
        (0..3).try_for_each(|f| std::fs::write(upper.join(format!("d1/g{f}")), format!("{i} {f}")))?;
        let start = Instant::now();
        let contents = ingest_layer(&upper, &store.blobs_dir(), &IdMap::default(), &IngestLimits::default())?;
        let read = start.elapsed();
        base = store.apply_changes(base, &contents)?;
        if i == 25 {
            println!("  of which ingest {read:.1?}, apply {:.1?}", start.elapsed() - read);
        }
        Ok(())
    })?;
    median("plan + write of a layer of 3 changes", 50, |i| {
        let path = TreePath::parse(&format!("d0/n{i}"))?;
        let op = FileOp::MakeFile { path, contents: "new".into(), mode: 0o644, owner: None };
        let target = store.apply(&op, tree, None)?;
        let plan = store.plan_layer(Some(tree), target)?;
        write_layer(&plan, &dir.join(format!("layer{i}")), &store.blobs_dir(), &IdMap::default())?;
        Ok(())
    })
}

fn checkout(store: &Store, dir: &Path, path: &Path) -> Done<()> {
    let scanned = timed("scan", || Ok(store.scan(path, &[], &[])?))?;
    let op = FileOp::Copy(CopyOp {
        dest: TreePath::parse("src")?,
        source: CopySource::Contents,
        include: Vec::new(),
        exclude: Vec::new(),
        owner: None,
        mode: None,
        keep_owner: false,
    });
    let from = Origin { tree: scanned.tree, path: &TreePath::root() };
    let tree = timed("copy of the scanned tree", || Ok(store.apply(&op, empty_tree(), Some(from))?))?;
    let plan = timed("plan of all", || Ok(store.plan_layer(None, tree)?))?;
    let (out, blobs) = (dir.join("checkout"), store.blobs_dir());
    let written = timed("write of all", || Ok(write_layer(&plan, &out, &blobs, &IdMap::default())?))?;
    println!("  {written:?}");
    let contents = timed("ingest of all (hard links)", || {
        Ok(ingest_layer(&out, &blobs, &IdMap::default(), &IngestLimits::default())?)
    })?;
    let same = timed("apply of all", || Ok(store.apply_changes(empty_tree(), &contents)?))?;
    assert_eq!(same, tree, "what was written is what is read");
    let plan = timed("plan of all again", || Ok(store.plan_layer(None, tree)?))?;
    let out = dir.join("checkout2");
    let written = timed("write of all again", || Ok(write_layer(&plan, &out, &blobs, &IdMap::default())?))?;
    println!("  {written:?}");
    timed("export of all", || Ok(store.export(tree, &TreePath::root(), &dir.join("export"), false)?))?;
    Ok(())
}
