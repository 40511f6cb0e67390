//! Links stages that each take the results of three others, orders them and draws them: `plan N [FILE.svg]`. It is for
//! measurements by hand, with a release build.

use std::io::Write as _;
use std::time::Instant;

use api::{Signature, Type, Value};
use pipeline::{Library, LiteralContext, Literals, ModuleTypes, StageGraph};

struct None;

impl Literals for None {
    fn value(&mut self, _: &Type, _: &serde_json::Value, _: &LiteralContext<'_>) -> Result<Value, String> {
        Err("there is no manifest".to_owned())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let n_stages: usize = arguments.next().ok_or("usage: plan N [FILE.svg]")?.parse()?;
    let library = library(n_stages);
    let start = Instant::now();
    let graph = StageGraph::new(&library, Option::None, &mut None)?;
    let linked = start.elapsed();
    let n_ordered = graph.order(&graph.leaves())?.len();
    let planned = start.elapsed();
    let drawing = graph.drawing();
    let svg = pipeline::svg(&drawing);
    let drawn = start.elapsed() - planned;
    let n_links = drawing.edges.len();
    let mut out = std::io::stdout();
    writeln!(out, "{n_ordered} of {n_stages} stages, {n_links} links")?;
    writeln!(out, "linked in {linked:.1?}, with order {planned:.1?}; drawn in {drawn:.1?}, {} bytes", svg.len())?;
    if let Some(path) = arguments.next() {
        std::fs::write(path, svg)?;
    }
    Ok(())
}

/// Makes functions that each take the results of three of the fifty before them.
fn library(n_stages: usize) -> Library {
    let takes = |index: usize| (1..=3).filter_map(move |step| index.checked_sub(step * (1 + index * step % 16)));
    let stage = |index: usize| Signature {
        name: format!("stage-{index}"),
        params: takes(index).map(|other| (format!("stage-{other}"), Type::Object("directory".to_owned()))).collect(),
        result: Some(Type::Result(Some(Box::new(Type::Object("directory".to_owned()))), Option::None)),
    };
    let own = ModuleTypes { stages: (0..n_stages).map(stage).collect(), objects: Vec::new() };
    Library { own: Some(own), ..Library::default() }
}
