//! Runs and a collector in random order, over the operations of a real store.

use std::path::{Path, PathBuf};

use graph::{CacheKey, ContentDigest, TreePath};

use crate::tree::tests::{stamps, tree};
use crate::{Item, LayerId, NewResult, Store, Usage};

const N_SEEDS: u64 = 10_000;
const MARK: &str = "shows";

/// Numbers that follow from a seed. Source: the generator SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What a run does next.
enum Next {
    Find,
    Lay(ContentDigest),
    Add(ContentDigest, LayerId, PathBuf),
    Note(ContentDigest, LayerId),
    Record(ContentDigest),
    Over,
}

/// A run that lays out a tree, a layer over it, and records the result.
struct Run {
    store: Option<Store>,
    next: Next,
    is_above: bool,
    which: u64,
    is_killed: bool,
    /// What it uses until it ends.
    layers: Vec<LayerId>,
    trees: Vec<ContentDigest>,
}

fn key(which: u64) -> CacheKey {
    CacheKey::from_bytes([u8::try_from(which).unwrap(); 32])
}

fn words(which: u64, is_above: bool) -> String {
    if is_above { format!("d/f={which} e/g=above") } else { format!("d/f={which}") }
}

impl Run {
    fn new(root: &Path, numbers: &mut Numbers) -> Self {
        let (which, is_killed) = (numbers.below(2), numbers.below(4) == 0);
        let store = Some(Store::open(root).unwrap());
        Self { store, next: Next::Find, is_above: false, which, is_killed, layers: Vec::new(), trees: Vec::new() }
    }

    fn step(&mut self) {
        let Some(store) = self.store.clone() else { return };
        self.next = match std::mem::replace(&mut self.next, Next::Over) {
            Next::Find if store.result(key(self.which)).unwrap().is_some() => {
                self.is_above = true;
                Next::Lay(self.tree(&store))
            }
            Next::Find => Next::Lay(self.tree(&store)),
            Next::Lay(made) => match store.materialised(made).unwrap() {
                Some(layers) => {
                    self.layers = layers;
                    self.laid_out(&store, made)
                }
                None => {
                    let (id, dir) = store.new_layer_dir().unwrap();
                    std::fs::write(dir.join(MARK), made.to_hex()).unwrap();
                    Next::Add(made, id, dir)
                }
            },
            Next::Add(made, id, dir) => {
                store.add_layer(&id, &dir, 1, stamps(&store, &dir)).unwrap();
                Next::Note(made, id)
            }
            Next::Note(made, id) => {
                self.layers.push(id);
                store.note_materialised(made, &self.layers).unwrap();
                self.laid_out(&store, made)
            }
            Next::Record(made) => {
                let (key, trees) = (key(self.which), [made]);
                store.put_result(&NewResult { key, value: b"made", trees: &trees, blobs: &[] }).unwrap();
                Next::Over
            }
            Next::Over => {
                self.end(store);
                Next::Over
            }
        };
        self.check();
    }

    fn tree(&mut self, store: &Store) -> ContentDigest {
        let made = tree(store, &words(self.which, self.is_above));
        self.trees.push(made);
        made
    }

    fn laid_out(&mut self, store: &Store, made: ContentDigest) -> Next {
        if self.is_above {
            return Next::Record(made);
        }
        self.is_above = true;
        Next::Lay(self.tree(store))
    }

    fn end(&mut self, store: Store) {
        self.store = None;
        self.layers.clear();
        self.trees.clear();
        if self.is_killed {
            store.kill();
        }
    }

    /// What the run uses is there, with its rows.
    fn check(&self) {
        let Some(store) = &self.store else { return };
        assert!(store.lease_layers(&self.layers).unwrap(), "rows of layers of a living run are gone");
        assert!(self.layers.iter().all(|id| store.layer_path(id).join(MARK).exists()), "a layer is gone");
        for made in &self.trees {
            let read = store.read_file(*made, &TreePath::parse("d/f").unwrap(), 0, None).unwrap();
            assert_eq!(read, self.which.to_string().as_bytes());
        }
    }
}

/// A collector, whose parts other processes come between.
#[derive(Default)]
struct Collector {
    store: Option<Store>,
    usage: Option<Usage>,
    is_dropped: bool,
}

impl Collector {
    fn step(&mut self, root: &Path) {
        let Some(store) = &self.store else {
            self.store = Some(Store::open(root).unwrap());
            return;
        };
        match self.usage.take() {
            None if self.is_dropped => {
                store.sweep_unneeded(&mut crate::Collected::default()).unwrap();
                *self = Self::default();
            }
            None => self.usage = Some(store.usage().unwrap()),
            Some(usage) => {
                let items: Vec<Item> = usage.records.iter().map(|record| record.item.clone()).collect();
                store.drop_unleased(&usage, &items).unwrap();
                self.is_dropped = true;
            }
        }
    }
}

/// Every result and every stack of layers that the store names is whole.
fn check_whole(root: &Path) {
    let store = Store::open(root).unwrap();
    for which in 0..2 {
        let whole = tree_of(which);
        if store.result(key(which)).unwrap().is_some() {
            assert!(store.has_node(whole).unwrap(), "a result is without its tree");
            store.read_file(whole, &TreePath::parse("e/g").unwrap(), 0, None).unwrap();
        }
        if let Some(layers) = store.materialised(whole).unwrap() {
            let last = store.layer_path(layers.last().unwrap()).join(MARK);
            assert_eq!(std::fs::read_to_string(last).unwrap(), whole.to_hex());
        }
    }
}

fn tree_of(which: u64) -> ContentDigest {
    static TREES: std::sync::OnceLock<[ContentDigest; 2]> = std::sync::OnceLock::new();
    let trees = TREES.get_or_init(|| {
        let (_dir, store) = crate::tree::tests::store();
        [0, 1].map(|which| tree(&store, &words(which, true)))
    });
    trees[usize::try_from(which).unwrap()]
}

fn interleave(root: &Path, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut runs = [Run::new(root, &mut numbers), Run::new(root, &mut numbers)];
    let mut collector = Collector::default();
    while runs.iter().any(|run| run.store.is_some()) {
        match numbers.below(5) {
            n @ 0..4 => runs[usize::try_from(n % 2).unwrap()].step(),
            _ => collector.step(root),
        }
        runs.iter().for_each(Run::check);
    }
    drop(collector);
    check_whole(root);
    let store = Store::open(root).unwrap();
    if seed.is_multiple_of(2) {
        // The next seed begins with what this one has left.
        clear_all(&store);
        let usage = store.usage().unwrap();
        assert_eq!((usage.records.len(), usage.n_blobs), (0, 0), "something stays although no run uses it");
    }
}

/// Clears a store that no run uses. A process that another test starts has copies of this one's locks between its fork
/// and its exec, so a lock can seem to be held for a moment.
fn clear_all(store: &Store) {
    let cleared = (0..1_000).map(|_| store.clear().unwrap()).find(|cleared| !cleared.is_deferred);
    let kept = cleared.expect("the store is used by nobody").kept;
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn what_a_run_uses_stays_in_whatever_order_runs_and_a_collector_work() {
    let work = |part: u64| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        drop(Store::open(&root).unwrap().usage().unwrap());
        // The last connection to a database waits for the disk when it is closed.
        let kept_open = rusqlite::Connection::open(root.join("db-v1.sqlite")).unwrap();
        kept_open.query_row("SELECT count(*) FROM leases", [], |row| row.get::<_, i64>(0)).unwrap();
        for pair in (part * N_SEEDS / 4)..((part + 1) * N_SEEDS / 4) {
            let done = std::panic::catch_unwind(|| interleave(&root, pair));
            assert!(done.is_ok(), "failed with seed {pair}; it begins with what an odd seed before it has left");
        }
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..4).map(|part| scope.spawn(move || work(part))).collect();
        assert!(parts.into_iter().all(|part| part.join().is_ok()));
    });
}
