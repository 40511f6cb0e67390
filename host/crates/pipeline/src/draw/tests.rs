use std::collections::BTreeSet;

use expect_test::expect;

use super::{Drawing, Edge, Node, NodeKind, dot, json, mermaid, svg};
use crate::tests::linked;

fn node(label: &str, kind: NodeKind) -> Node {
    Node { id: label.to_owned(), label: label.to_owned(), details: Vec::new(), kind }
}

/// A pipeline with every kind of link, an object and values.
fn pipeline() -> Drawing {
    let functions = "build(src: directory, jobs: option<u32>) -> directory
        test(build: directory) -> result<string>
        ---
        new linter(level: u32)
        linter.check(name: option<string>) -> result<file>
        pack(app: file, report: file)";
    let manifest = "[stages]
        build = { args = { src = \"src\", jobs = 4 } }
        linter = { call = \"lint.linter\", args = { level = 1 } }
        report = { from = \"linter.check()\" }
        pack = { call = \"lint.pack\", args = { app = { from = 'build.file(\"app\")' } } }
        upload = { call = \"lint.pack\", args = { app = { from = 'report' } } }";
    linked(functions, manifest).unwrap().drawing()
}

/// A drawing with labels that could break each of the formats.
fn hostile() -> Drawing {
    let label = "a\"b<c>&d`e`\\N\n%%{init}%% #35; 1. *x* |y| \u{1b}[0m 日本 \u{fffe}\\";
    let details = vec!["]] --> z".to_owned(), "-->end".to_owned()];
    let nodes = vec![Node { details, ..node(label, NodeKind::File) }, node("end", NodeKind::Other)];
    Drawing { nodes, edges: vec![Edge { from: 0, to: 1, label: label.to_owned() }] }
}

#[test]
fn a_pipeline_in_dot() {
    expect![[r#"
        digraph pipeline {
          rankdir=LR;
          node [fontname="monospace", fontsize=11];
          edge [fontname="monospace", fontsize=10];
          "build" [label="build\nsrc = cache-volume\njobs = 4\n-> directory", shape=box];
          "test" [label="test\n-> string", shape=box];
          "linter" [label="linter\nlint.linter\nlevel = 1\n-> linter", shape=ellipse];
          "report" [label="report\n-> file", shape=box];
          "pack" [label="pack\nlint.pack", shape=box];
          "upload" [label="upload\nlint.pack", shape=box];
          "build" -> "test";
          "linter" -> "report" [label="check()"];
          "build" -> "pack" [label="app: file(\"app\")"];
          "report" -> "pack";
          "report" -> "upload" [label="app"];
          "report" -> "upload";
        }
    "#]]
    .assert_eq(&dot(&pipeline()));
}

#[test]
fn a_pipeline_in_mermaid() {
    expect![[r#"
        flowchart LR
          n0["build<br/>src = cache-volume<br/>jobs = 4<br/>-#62; directory"]
          n1["test<br/>-#62; string"]
          n2(["linter<br/>lint.linter<br/>level = 1<br/>-#62; linter"])
          n3["report<br/>-#62; file"]
          n4["pack<br/>lint.pack"]
          n5["upload<br/>lint.pack"]
          n0 --> n1
          n2 -->|"check()"| n3
          n0 -->|"app: file(#34;app#34;)"| n4
          n3 --> n4
          n3 -->|"app"| n5
          n3 --> n5
    "#]]
    .assert_eq(&mermaid(&pipeline()));
}

#[test]
fn a_pipeline_in_json() {
    let written: serde_json::Value = serde_json::from_str(&json(&pipeline())).unwrap();
    assert_eq!(written["nodes"].as_array().unwrap().len(), 6);
    expect![[
        r#"{"id":"build","label":"build","details":["src = cache-volume","jobs = 4","-> directory"],"kind":"stage"}"#
    ]]
    .assert_eq(&written["nodes"][0].to_string());
    expect![[r#"{"from":"linter","to":"report","label":"check()"}"#]].assert_eq(&written["edges"][1].to_string());
}

#[test]
fn hostile_labels_stay_labels_in_dot() {
    expect![[r#"
        digraph pipeline {
          rankdir=LR;
          node [fontname="monospace", fontsize=11];
          edge [fontname="monospace", fontsize=10];
          "a\"b<c>&amp;d`e`\\N\n%%{init}%% #35; 1. *x* |y| �[0m 日本 �\\" [label="a\"b<c>&amp;d`e`\\N\n%%{init}%% #35; 1. *x* |y| �[0m 日本 �\\\n]] --> z\n-->end", shape=note];
          "end" [label="end", shape=hexagon];
          "a\"b<c>&amp;d`e`\\N\n%%{init}%% #35; 1. *x* |y| �[0m 日本 �\\" -> "end" [label="a\"b<c>&amp;d`e`\\N\n%%{init}%% #35; 1. *x* |y| �[0m 日本 �\\"];
        }
    "#]].assert_eq(&dot(&hostile()));
}

#[test]
fn hostile_labels_stay_labels_in_mermaid() {
    expect![[r#"
        flowchart LR
          n0("a#34;b#60;c#62;#38;d#96;e#96;#92;N<br/>#37;#37;#123;init#125;#37;#37; #35;35#59; 1. #42;x#42; #124;y#124; �#91;0m 日本 �#92;<br/>#93;#93; --#62; z<br/>--#62;end")
          n1{{"end"}}
          n0 -->|"a#34;b#60;c#62;#38;d#96;e#96;#92;N<br/>#37;#37;#123;init#125;#37;#37; #35;35#59; 1. #42;x#42; #124;y#124; �#91;0m 日本 �#92;"| n1
    "#]].assert_eq(&mermaid(&hostile()));
}

#[test]
fn hostile_labels_stay_labels_in_json() {
    let written: serde_json::Value = serde_json::from_str(&json(&hostile())).unwrap();
    assert_eq!(written["nodes"][0]["label"], hostile().nodes[0].label.as_str());
}

#[test]
fn hostile_labels_stay_labels_in_svg() {
    let svg = svg(&hostile());
    let texts: Vec<&str> = svg.lines().filter(|line| line.contains("<text") || line.contains("<title")).collect();
    expect![[r#"
        <g><title>a&quot;b&lt;c&gt;&amp;d`e`\N
        <text class="name" x="26.0" y="37.0">a&quot;b&lt;c&gt;&amp;d`e`\N</text>
        <text x="26.0" y="53.0">%%{init}%% #35; 1. *x* |y| �[0m 日本 �\</text>
        <text x="26.0" y="69.0">]] --&gt; z</text>
        <text x="26.0" y="85.0">--&gt;end</text>
        <g><title>end</title><rect class="box other" x="728.3" y="40.0" width="41.9" height="32.0" rx="0.0"/>
        <text class="name" x="738.3" y="61.0">end</text>
        <rect class="pill" x="344.3" y="48.0" width="375.0" height="16" rx="8"/><text x="531.8" y="60.0" text-anchor="middle">a&quot;b&lt;c&gt;&amp;d`e`\N %%{init}%% #35; 1. *x* |y| �[0m 日…</text>"#]].assert_eq(&texts.join("\n"));
}

/// Returns the values of an attribute in all elements of a class.
fn attributes(svg: &str, class: &str, name: &str) -> Vec<f64> {
    let elements = svg.split('<').filter(|element| element.contains(&format!("class=\"{class}")));
    let value = |element: &str| element.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok();
    elements.filter_map(value).collect()
}

#[test]
fn boxes_do_not_overlap_and_are_inside_of_the_picture() {
    let svg = svg(&pipeline());
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| attributes(&svg, "box", name));
    assert_eq!(x.len(), 6);
    for a in 0..x.len() {
        assert!(x[a] >= 0.0 && y[a] >= 0.0);
        for b in 0..a {
            let is_beside = x[a] + width[a] <= x[b] || x[b] + width[b] <= x[a];
            assert!(is_beside || y[a] + height[a] <= y[b] || y[b] + height[b] <= y[a], "{a} and {b}");
        }
    }
}

#[test]
fn what_feeds_stands_left_of_what_it_feeds() {
    let nodes = ["c", "b", "a"].map(|label| node(label, NodeKind::Stage)).into();
    let edge = |from, to| Edge { from, to, label: String::new() };
    let x = attributes(&svg(&Drawing { nodes, edges: vec![edge(2, 1), edge(1, 0), edge(2, 0)] }), "box", "x");
    assert!(x[2] < x[1] && x[1] < x[0], "{x:?}");
}

#[test]
fn cycles_loops_and_edges_to_nowhere_are_drawn_as_far_as_they_go() {
    let nodes = ["a", "b"].map(|label| node(label, NodeKind::Stage)).into();
    let edge = |from, to| Edge { from, to, label: String::new() };
    let drawing = Drawing { nodes, edges: vec![edge(0, 1), edge(1, 0), edge(1, 1), edge(1, 7)] };
    let svg = svg(&drawing);
    assert_eq!(svg.matches("class=\"edge\"").count(), 1);
    assert_eq!(svg.matches("class=\"edge back\"").count(), 2);
    assert_eq!(dot(&drawing).matches("->").count(), 3);
    assert_eq!(mermaid(&drawing).matches("-->").count(), 3);
}

#[test]
fn edges_between_the_same_nodes_are_apart() {
    let nodes = ["a", "b"].map(|label| node(label, NodeKind::Stage)).into();
    let edge = |from, to| Edge { from, to, label: String::new() };
    let svg = svg(&Drawing { nodes, edges: vec![edge(0, 1), edge(0, 1), edge(1, 0)] });
    let paths: BTreeSet<&str> = svg.lines().filter(|line| line.starts_with("<path")).collect();
    let ways: BTreeSet<&str> = paths.iter().filter_map(|path| path.split(" d=").nth(1)).collect();
    assert_eq!(ways.len(), 3);
}

#[test]
fn nothing_is_drawn_as_nothing() {
    assert!(svg(&Drawing::default()).ends_with("</svg>\n"));
    assert_eq!(mermaid(&Drawing::default()), "flowchart LR\n");
}

#[test]
fn ten_thousand_nodes_in_a_chain_with_shortcuts_are_drawn() {
    let nodes = (0..10_000).map(|index| node(&format!("n{index}"), NodeKind::Exec)).collect();
    let edge = |from, to| Edge { from, to, label: String::new() };
    let edges = (1..10_000).flat_map(|to| [edge(to - 1, to), edge(to / 2, to), edge(0, to)]).collect();
    assert_eq!(svg(&Drawing { nodes, edges }).matches("class=\"edge").count(), 29_997);
}
