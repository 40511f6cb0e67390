//! Large graphs of operations on files, solved by one session after the other on one store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use engine::{Engine as _, Event, Failure, FailureCode, ImageAccess, Outcome, SecretProvider, SessionIo};
use engine_embedded::embedded;
use engine_embedded::zone::ZoneConfig;
use graph::{Edge, FileOp, Op, SecretName, Selection, SourceOp, TreePath};
use store::{Item, Store};
use tokio_util::sync::CancellationToken;

/// More than the number from which on a graph is looked up as a whole.
const N_VERTICES: usize = 300;

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        Err(Failure::invalid(FailureCode::NotFound, format!("there is no secret `{}`", name.0)))
    }
}

/// What a session found: the digest of the last vertex, and how many vertices ended how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Solved {
    digest: String,
    n_ran: usize,
    n_cached: usize,
}

/// A chain of files on a directory of this machine; the first of them has these contents.
fn chain(source: &Path, first: &str) -> Vec<Edge> {
    let local = SourceOp::Local { path: source.to_str().unwrap().into(), include: Vec::new(), exclude: Vec::new() };
    let mut last = Selection::of(Op::Source(local), Vec::new());
    (0..N_VERTICES)
        .map(|n| {
            let path = TreePath::parse(&format!("made{}", n % 5)).unwrap();
            let contents = if n == 0 { first.to_owned() } else { n.to_string() }.into_bytes().into();
            last = Selection::of(
                Op::File(FileOp::MakeFile { path, contents, mode: 0o644, owner: None }),
                vec![last.clone()],
            );
            last.edge.clone()
        })
        .collect()
}

/// Solves the chain in a session of its own, the last vertex first, then one in the middle.
fn solve(store: &Path, source: &Path, first: &str, is_cache_used: bool) -> Solved {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let ends = Arc::new(Mutex::new(BTreeMap::new()));
    let seen = Arc::clone(&ends);
    let io = SessionIo {
        events: Arc::new(move |event| {
            if let Event::Finished { vertex, outcome, .. } = event {
                let other = seen.lock().unwrap().insert(vertex.digest, outcome);
                assert_eq!(other, None, "a vertex is told of once");
            }
        }),
        secrets: Arc::new(NoSecrets),
        cancel: CancellationToken::new(),
        n_jobs: 1,
        is_cache_used,
        timeout: None,
        max_output_bytes: engine::MAX_OUTPUT_BYTES,
        rules: engine::Rules { network: false, ..engine::Rules::default() },
        images: ImageAccess::default(),
        store: store.to_owned(),
        is_dry: false,
    };
    let store = Store::open(store).unwrap();
    let zone = ZoneConfig::new(store.root());
    let engine = embedded(store, io, zone);
    let edges = chain(source, first);
    let solved = runtime.block_on(engine.solve(&edges[N_VERTICES - 1..])).unwrap();
    runtime.block_on(engine.solve(&edges[N_VERTICES / 2..=N_VERTICES / 2])).unwrap();
    let digest = runtime.block_on(engine.digest(&solved[0].snapshot, &TreePath::root())).unwrap().to_string();
    let ends = ends.lock().unwrap();
    let count = |wanted: &Outcome| ends.values().filter(|outcome| *outcome == wanted).count();
    Solved { digest, n_ran: count(&Outcome::Ran), n_cached: count(&Outcome::Cached) }
}

/// A store in which the chain was solved once, and its source.
fn solved_once() -> (tempfile::TempDir, impl Fn(&str, bool) -> Solved, Solved) {
    let dir = tempfile::tempdir().unwrap();
    let (store, source) = (dir.path().join("store"), dir.path().join("source"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "contents").unwrap();
    let solve = move |first: &str, is_cache_used| solve(&store, &source, first, is_cache_used);
    let first = solve("", true);
    // The source is looked at in every run, and counts as evaluated.
    assert_eq!((first.n_ran, first.n_cached), (N_VERTICES + 1, 0));
    (dir, solve, first)
}

#[test]
fn a_large_graph_that_did_not_change_is_cached_vertex_by_vertex_as_people_see_it() {
    let (_dir, solve, first) = solved_once();
    assert_eq!(solve("", true), Solved { n_ran: 1, n_cached: N_VERTICES, ..first });
}

#[test]
fn a_large_graph_whose_source_changed_runs_again() {
    let (dir, solve, first) = solved_once();
    std::fs::write(dir.path().join("source/file"), "other contents").unwrap();
    let second = solve("", true);
    assert_eq!(second.n_ran, N_VERTICES + 1);
    assert_ne!(second.digest, first.digest);
    std::fs::write(dir.path().join("source/file"), "contents").unwrap();
    assert_eq!(solve("", true), Solved { n_ran: 1, n_cached: N_VERTICES, ..first });
}

#[test]
fn a_large_graph_with_another_definition_runs_where_it_differs() {
    let (_dir, solve, first) = solved_once();
    let second = solve("another beginning", true);
    // The sixth vertex replaces the file of the first, and what follows has the same inputs as before.
    assert_eq!((second.n_ran, second.n_cached), (1 + 6, N_VERTICES - 6));
    assert_eq!(second.digest, first.digest);
}

#[test]
fn a_large_graph_runs_again_without_the_cache() {
    let (_dir, solve, first) = solved_once();
    assert_eq!(solve("", false), first);
    assert_eq!(solve("", true), Solved { n_ran: 1, n_cached: N_VERTICES, ..first });
}

#[test]
fn a_vertex_of_a_large_graph_whose_result_was_collected_runs_again() {
    let (dir, solve, first) = solved_once();
    assert_eq!(solve("", true).n_ran, 1);
    let store = Store::open(&dir.path().join("store")).unwrap();
    let results = store.usage().unwrap().records.into_iter().map(|record| record.item);
    let results: Vec<Item> = results.filter(|item| matches!(item, Item::Result(_))).collect();
    // One of them at a time: whichever it is, the graph has no hole and the same value.
    for item in results.into_iter().step_by(97) {
        store.remove(&[item]).unwrap();
        let again = solve("", true);
        assert_eq!((again.n_ran + again.n_cached, &again.digest), (N_VERTICES + 1, &first.digest));
    }
    store.clear().unwrap();
    drop(store);
    let cleared = Store::open(&dir.path().join("store")).unwrap().clear().unwrap();
    assert!(cleared.items.is_empty());
    assert_eq!(solve("", true), first);
}
