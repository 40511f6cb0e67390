//! Tests with toy operations that count how often they ran and when they were stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use graph::{FileOp, Op, Selection, TreePath, Vertex};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::evaluate::LookUp;
use crate::graph::Graph;

/// An engine for toy vertices. The value of a vertex is its name with the values of its inputs:
/// `c(a,b)`. The name says what the vertex does: `slow…` takes 100 ms, `fail…` fails, `panic…`
/// panics, and `cached…` is found.
#[derive(Default)]
struct Toys {
    log: Mutex<Vec<String>>,
    /// Is part of the values of vertices without inputs, as if they had been read from outside.
    outside: &'static str,
    /// The graphs that are known, which sessions may share.
    graphs: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl Toys {
    fn log(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn value(&self, vertex: &Vertex, inputs: &[String]) -> String {
        let outside = if inputs.is_empty() { self.outside } else { "" };
        value(vertex, inputs) + outside
    }

    fn count(&self, prefix: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.starts_with(prefix)).count()
    }
}

fn name(vertex: &Vertex) -> String {
    match vertex.op() {
        Op::File(FileOp::MakeDirectory { path, .. }) => path.as_str().to_owned(),
        _ => String::new(),
    }
}

fn value(vertex: &Vertex, inputs: &[String]) -> String {
    format!("{}({})", name(vertex), inputs.join(","))
}

fn graph_key(graph: &Graph<'_, String>) -> String {
    let roots: Vec<_> = graph.roots.iter().map(|root| root.digest().to_hex()).collect();
    let frontier: Vec<_> =
        graph.frontier.iter().map(|(vertex, value)| format!("{:?}={value}", vertex.digest())).collect();
    format!("{roots:?} {frontier:?}")
}

#[async_trait]
impl Evaluate for Toys {
    type Value = String;
    type Error = String;
    type Job = ();

    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[String]) -> LookUp<String, String, ()> {
        if name(vertex).starts_with("cached") {
            self.log(format!("find {}", name(vertex)));
        }
        self.look_up_again(vertex, inputs)
    }

    fn look_up_again(&self, vertex: &Arc<Vertex>, inputs: &[String]) -> LookUp<String, String, ()> {
        if name(vertex).starts_with("cached") {
            return LookUp::Done(Ok(self.value(vertex, inputs)));
        }
        LookUp::Execute(())
    }

    fn look_up_graph(&self, graph: &Graph<'_, String>) -> Option<Vec<String>> {
        let found = self.graphs.lock().unwrap().get(&graph_key(graph)).cloned();
        if found.is_some() {
            graph.vertices.iter().for_each(|vertex| self.log(format!("find {}", name(vertex))));
        }
        found
    }

    fn record_graph(&self, graph: &Graph<'_, String>, values: &[String]) {
        self.graphs.lock().unwrap().insert(graph_key(graph), values.to_vec());
    }

    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<String>,
        (): (),
        cancel: CancellationToken,
    ) -> Result<String, String> {
        let name = name(&vertex);
        self.log(format!("run {name}"));
        if name.starts_with("slow") {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                () = cancel.cancelled() => {
                    self.log(format!("stop {name}"));
                    return Err("stopped".to_owned());
                }
            }
        }
        assert!(!name.starts_with("panic"), "as it was asked to");
        if name.starts_with("fail") { Err(format!("{name} failed")) } else { Ok(self.value(&vertex, &inputs)) }
    }

    fn takes_slot(&self, _: &Vertex) -> bool {
        true
    }

    fn lost(&self, vertex: &Vertex) -> String {
        format!("{} was lost", name(vertex))
    }
}

fn toy(name: &str, inputs: &[&Edge]) -> Edge {
    let op = FileOp::MakeDirectory { path: TreePath::parse(name).unwrap(), mode: 0, owner: None };
    let inputs = inputs.iter().map(|edge| (*edge).clone().at(TreePath::root())).collect();
    Selection::of(Op::File(op), inputs).edge
}

fn solver(n_jobs: usize) -> (Arc<Toys>, Solver<Toys>) {
    let toys = Arc::new(Toys::default());
    (Arc::clone(&toys), Solver::new(toys, n_jobs))
}

#[tokio::test(start_paused = true)]
async fn a_diamond_is_evaluated_once_each_and_at_the_same_time() {
    let (toys, solver) = solver(8);
    let base = toy("base", &[]);
    let (a, b) = (toy("slow-a", &[&base]), toy("slow-b", &[&base]));
    let top = toy("top", &[&a, &b]);
    let started = tokio::time::Instant::now();
    let both = [top.clone(), a];
    let (one, two) = tokio::join!(solver.solve(std::slice::from_ref(&top)), solver.solve(&both));
    assert_eq!(one, Ok(Ok(vec!["top(slow-a(base()),slow-b(base()))".to_owned()])));
    assert_eq!(two.unwrap().unwrap().len(), 2);
    assert_eq!(toys.count("run"), 4);
    assert_eq!(started.elapsed(), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn what_was_evaluated_is_known_for_the_rest_of_the_session() {
    let (toys, solver) = solver(1);
    for _ in 0..3 {
        assert_eq!(solver.solve(&[toy("a", &[])]).await, Ok(Ok(vec!["a()".to_owned()])));
    }
    assert_eq!(toys.count("run"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_not_run() {
    let (toys, solver) = solver(1);
    let edge = toy("cached-b", &[&toy("cached-a", &[])]);
    assert_eq!(solver.solve(&[edge]).await, Ok(Ok(vec!["cached-b(cached-a())".to_owned()])));
    assert_eq!(toys.count("run"), 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_number_of_jobs_run_at_the_same_time() {
    let (_, solver) = solver(2);
    let edges: Vec<Edge> = (0..6).map(|n| toy(&format!("slow-{n}"), &[])).collect();
    let started = tokio::time::Instant::now();
    solver.solve(&edges).await.unwrap().unwrap();
    assert_eq!(started.elapsed(), Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_all_that_need_it_and_nothing_else() {
    let (toys, solver) = solver(8);
    let bad = toy("fail", &[]);
    let (top, other) = ([toy("top", &[&toy("mid", &[&bad])])], [toy("slow-other", &[])]);
    let (failed, fine) = tokio::join!(solver.solve(&top), solver.solve(&other));
    assert_eq!(failed, Ok(Err("fail failed".to_owned())));
    assert!(fine.unwrap().is_ok());
    assert_eq!(toys.count("run top") + toys.count("run mid"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_failed_vertex_needs_is_stopped() {
    let (toys, solver) = solver(8);
    let top = toy("top", &[&toy("fail", &[]), &toy("slow-useless", &[])]);
    assert!(solver.solve(&[top]).await.unwrap().is_err());
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(toys.count("stop slow-useless"), 1);
}

#[tokio::test(start_paused = true)]
async fn work_is_stopped_when_the_last_who_waits_leaves_and_starts_anew_when_somebody_comes() {
    let (toys, solver) = solver(8);
    let edge = toy("slow", &[]);
    let edges = [edge];
    {
        let (first, second) = (solver.solve(&edges), solver.solve(&edges));
        tokio::pin!(second);
        {
            tokio::pin!(first);
            assert!(tokio::time::timeout(Duration::from_millis(10), &mut first).await.is_err());
            assert!(tokio::time::timeout(Duration::from_millis(10), &mut second).await.is_err());
        }
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut second).await.is_err());
        assert_eq!(toys.count("stop"), 0);
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(toys.count("stop"), 1);
    assert_eq!(solver.solve(&edges).await, Ok(Ok(vec!["slow()".to_owned()])));
    assert_eq!(toys.count("run"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_of_its_vertex() {
    let (_, solver) = solver(1);
    assert_eq!(solver.solve(&[toy("panic", &[])]).await, Ok(Err("panic was lost".to_owned())));
    assert!(solver.solve(&[toy("a", &[])]).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_chain_of_100_000_vertices_is_evaluated() {
    let (_, solver) = solver(1);
    let mut edge = toy("cached", &[]);
    for n in 0..100_000 {
        let op = FileOp::Timestamps { seconds: n };
        edge = Selection::of(Op::File(op), vec![edge.at(TreePath::root())]).edge;
        if n % 5_000 == 0 {
            edge = toy("cached", &[]);
        }
    }
    assert!(solver.solve(&[edge]).await.unwrap().is_ok());
}

/// Starts a session that looks every graph up as a whole, and that knows the graphs of another.
fn session(outside: &'static str, other: Option<&Toys>) -> (Arc<Toys>, Solver<Toys>) {
    let graphs = other.map_or_else(Arc::default, |other| Arc::clone(&other.graphs));
    let toys = Arc::new(Toys { outside, graphs, ..Toys::default() });
    (Arc::clone(&toys), Solver::with_large_graph(toys, 3, 2))
}

async fn solve(solver: &Solver<Toys>, edge: &Edge) -> String {
    solver.solve(std::slice::from_ref(edge)).await.unwrap().unwrap().remove(0)
}

#[tokio::test]
async fn a_graph_whose_sources_did_not_change_is_found_without_its_vertices() {
    let top = toy("top", &[&toy("mid", &[&toy("source", &[])])]);
    let (first, solver) = session("", None);
    let value = solve(&solver, &top).await;
    let (second, solver) = session("", Some(&first));
    assert_eq!(solve(&solver, &top).await, value);
    assert_eq!(*second.log.lock().unwrap(), ["run source", "find mid", "find top"]);
}

#[tokio::test]
async fn a_graph_whose_source_changed_is_evaluated() {
    let top = toy("top", &[&toy("mid", &[&toy("source", &[])])]);
    let (first, solver) = session(" of old", None);
    solve(&solver, &top).await;
    let (second, solver) = session(" of new", Some(&first));
    assert_eq!(solve(&solver, &top).await, "top(mid(source() of new))");
    assert_eq!(second.count("run"), 3);
}

#[tokio::test]
async fn a_vertex_of_a_graph_that_was_found_is_looked_up_when_it_is_wanted_and_told_of_once() {
    let mid = toy("cached-mid", &[&toy("source", &[])]);
    let top = toy("top", &[&mid]);
    let (first, solver) = session("", None);
    solve(&solver, &top).await;
    let (second, solver) = session("", Some(&first));
    solve(&solver, &top).await;
    assert_eq!(solve(&solver, &mid).await, "cached-mid(source())");
    assert_eq!(*second.log.lock().unwrap(), ["run source", "find cached-mid", "find top"]);
}

#[tokio::test]
async fn a_graph_with_a_failure_is_not_remembered() {
    let top = toy("top", &[&toy("fail", &[&toy("source", &[])])]);
    let (first, solver) = session("", None);
    for _ in 0..2 {
        assert_eq!(solver.solve(std::slice::from_ref(&top)).await, Ok(Err("fail failed".to_owned())));
    }
    assert!(first.graphs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_small_graph_is_looked_up_vertex_by_vertex() {
    let (toys, solver) = solver(1);
    solve(&solver, &toy("top", &[&toy("mid", &[&toy("source", &[])])])).await;
    assert!(toys.graphs.lock().unwrap().is_empty());
}

/// Compares random graphs with a naive recursive evaluator, in three sessions that share what they
/// know of graphs and the last of which finds other sources. The values are equal, and each vertex is
/// reported at most once.
fn check_random(shape: &[Vec<usize>], fail: &[bool]) {
    let mut edges: Vec<Edge> = Vec::new();
    for (n, inputs) in shape.iter().enumerate() {
        let inputs: Vec<&Edge> = inputs.iter().filter(|_| n > 0).map(|input| &edges[input % n]).collect();
        let kind = if fail[n] {
            "fail"
        } else if n % 3 == 0 {
            "cached"
        } else {
            "run"
        };
        edges.push(toy(&format!("{kind}-{n}"), &inputs));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut last: Option<Arc<Toys>> = None;
        for outside in ["", "", " changed"] {
            let (toys, solver) = session(outside, last.as_deref());
            let mut memo = BTreeMap::new();
            for edge in edges.iter().rev() {
                let got = solver.solve(std::slice::from_ref(edge)).await.unwrap().map(|mut values| values.remove(0));
                match naive(&toys, edge, &mut memo) {
                    Some(expect) => assert_eq!(got, Ok(expect)),
                    None => assert!(got.is_err()),
                }
            }
            let log = toys.log.lock().unwrap().clone();
            let unique: BTreeSet<_> = log.iter().collect();
            // A vertex that a failure stopped may run again. Without a failure, no vertex does.
            assert!(toys.count("run fail") > 0 || unique.len() == log.len(), "{log:?}");
            last = Some(toys);
        }
    });
}

fn naive(toys: &Toys, edge: &Edge, memo: &mut BTreeMap<graph::DefinitionDigest, Option<String>>) -> Option<String> {
    if let Some(known) = memo.get(&edge.vertex.digest()) {
        return known.clone();
    }
    let inputs: Option<Vec<String>> = edge.vertex.inputs().iter().map(|input| naive(toys, &input.edge, memo)).collect();
    let inputs = inputs.filter(|_| !name(&edge.vertex).starts_with("fail"));
    let result = inputs.map(|inputs| toys.value(&edge.vertex, &inputs));
    memo.insert(edge.vertex.digest(), result.clone());
    result
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn random_graphs_have_the_values_of_a_naive_evaluator(
        shape in prop::collection::vec(prop::collection::vec(0usize..100, 0..4), 1..16),
        fail in prop::collection::vec(prop::bool::weighted(0.1), 16),
    ) {
        check_random(&shape, &fail);
    }
}
