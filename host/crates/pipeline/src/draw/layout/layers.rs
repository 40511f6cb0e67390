//! The layers of nodes.

use super::layered::{Chain, Layered};

/// The limit on the number of bends. Beyond it arrows cross layers without bends: nobody reads so large a picture
/// arrow by arrow, and a long chain with many shortcuts would have millions of bends.
const MAX_BENDS: usize = 20_000;

/// Puts every node into a layer after those of the nodes that it needs.
pub(super) fn assign(n_nodes: usize, edges: &[(usize, usize)]) -> Layered {
    let is_reversed = reversed(n_nodes, edges);
    let forward = edges.iter().zip(&is_reversed).map(|(&(from, to), &back)| if back { (to, from) } else { (from, to) });
    let forward: Vec<(usize, usize)> = forward.collect();
    let layer = by_longest_path(n_nodes, &forward);
    let n_layers = layer.iter().max().map_or(0, |last| last + 1);
    let mut layered = Layered { layer, n_nodes, n_layers, chains: Vec::new() };
    let n_bends: usize = forward.iter().map(|&(from, to)| n_crossed(&layered.layer, from, to)).sum();
    for (&(from, to), is_reversed) in forward.iter().zip(is_reversed) {
        let mut items = vec![from];
        if n_bends <= MAX_BENDS {
            for crossed in layered.layer[from] + 1..layered.layer[to].max(layered.layer[from] + 1) {
                items.push(layered.layer.len());
                layered.layer.push(crossed);
            }
        }
        items.push(to);
        layered.chains.push(Chain { items, is_reversed });
    }
    layered
}

fn n_crossed(layer: &[usize], from: usize, to: usize) -> usize {
    layer[to].saturating_sub(layer[from] + 1)
}

/// Finds edges that close a cycle: without them there is no cycle. They lead to a node that is open in a walk depth
/// first.
fn reversed(n_nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Walk {
        NotSeen,
        Open,
        Done,
    }
    let outgoing = by_node(n_nodes, edges.iter().map(|&(from, _)| from));
    let mut walks = vec![Walk::NotSeen; n_nodes];
    let mut is_reversed = vec![false; edges.len()];
    for root in 0..n_nodes {
        let mut stack = vec![(root, 0)];
        if walks[root] != Walk::NotSeen {
            continue;
        }
        walks[root] = Walk::Open;
        while let Some((node, next)) = stack.last_mut() {
            let Some(&edge) = outgoing[*node].get(*next) else {
                walks[*node] = Walk::Done;
                stack.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].1;
            match walks[to] {
                Walk::Open => is_reversed[edge] = true,
                Walk::NotSeen => {
                    walks[to] = Walk::Open;
                    stack.push((to, 0));
                }
                Walk::Done => {}
            }
        }
    }
    is_reversed
}

/// Returns the edges of each node, for one of their ends.
fn by_node(n_nodes: usize, ends: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); n_nodes];
    for (edge, end) in ends.enumerate() {
        edges[end].push(edge);
    }
    edges
}

/// Puts each node one layer after the last node that it needs. The edges must have no cycles, except from a node to
/// itself.
fn by_longest_path(n_nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let outgoing = by_node(n_nodes, edges.iter().map(|&(from, _)| from));
    let mut n_before = vec![0; n_nodes];
    for &(_, to) in edges.iter().filter(|(from, to)| from != to) {
        n_before[to] += 1;
    }
    let mut layer = vec![0; n_nodes];
    let mut ready: Vec<usize> = (0..n_nodes).filter(|node| n_before[*node] == 0).collect();
    let is_first: Vec<bool> = n_before.iter().map(|n| *n == 0).collect();
    while let Some(node) = ready.pop() {
        for to in outgoing[node].iter().map(|edge| edges[*edge].1).filter(|to| *to != node) {
            layer[to] = layer[to].max(layer[node] + 1);
            n_before[to] -= 1;
            if n_before[to] == 0 {
                ready.push(to);
            }
        }
    }
    // A node that needs nothing stands next to the first node that needs it.
    for node in (0..n_nodes).filter(|node| is_first[*node]) {
        let next = outgoing[node].iter().map(|edge| edges[*edge].1).filter(|to| *to != node);
        layer[node] = next.map(|to| layer[to] - 1).min().unwrap_or(0);
    }
    layer
}
