//! The places of items, in pixels.

use std::collections::HashMap;

use super::layered::{Chain, Layered, Layout, Route, Size};
use super::order::mean;

/// The margin around the drawing.
const MARGIN: f64 = 16.0;
/// The gap between nodes of a layer.
const GAP: f64 = 18.0;
/// The smallest gap between layers.
const LAYER_GAP: f64 = 56.0;
/// The height of a bend.
const BEND_HEIGHT: f64 = 6.0;
/// The gap between edges that join the same nodes.
const PARALLEL_GAP: f64 = 10.0;
/// The number of times that items are pulled towards their neighbours.
const N_PULLS: usize = 6;

/// Places items in the given order.
pub(super) fn place(layered: &Layered, order: &[Vec<usize>], sizes: &[Size], label_widths: &[f64]) -> Layout {
    let height = |item: usize| sizes.get(item).map_or(BEND_HEIGHT, |size| size.height);
    let mut middles = middles(layered, order, &height);
    let top = (0..middles.len()).map(|item| middles[item] - height(item) / 2.0).fold(f64::INFINITY, f64::min);
    middles.iter_mut().for_each(|middle| *middle += MARGIN - top);
    let bottom = (0..middles.len()).map(|item| middles[item] + height(item) / 2.0).fold(MARGIN, f64::max);
    let columns = columns(layered, order, sizes, label_widths);
    let right = columns.last().map_or(MARGIN, |column| column.left + column.width);
    let corner = |node: usize| {
        let column = &columns[layered.layer[node]];
        (column.left + (column.width - sizes[node].width) / 2.0, middles[node] - height(node) / 2.0)
    };
    let corners: Vec<(f64, f64)> = (0..layered.n_nodes).map(corner).collect();
    let ends = |item: usize| match (corners.get(item), sizes.get(item)) {
        (Some((x, _)), Some(size)) => [(*x, middles[item]), (x + size.width, middles[item])],
        // A bend crosses its column.
        _ => {
            let column = &columns[layered.layer[item]];
            [(column.left, middles[item]), (column.left + column.width, middles[item])]
        }
    };
    let size = Size { width: right + MARGIN, height: bottom + MARGIN };
    Layout { routes: routes(&layered.chains, ends), corners, size }
}

/// Makes the route of each edge from its items. `ends` returns the left and the right end of an item.
fn routes(chains: &[Chain], ends: impl Fn(usize) -> [(f64, f64); 2]) -> Vec<Route> {
    let mut n_parallel: HashMap<[Option<usize>; 2], usize> = HashMap::new();
    let route = |chain: &Chain| {
        let pair = [chain.items.first().copied(), chain.items.last().copied()];
        let shift = shift(n_parallel.entry(pair).or_default());
        let points = chain.items.iter().flat_map(|item| ends(*item)).map(|(x, y)| (x, y + shift));
        let points: Vec<(f64, f64)> = points.collect();
        // An edge has no point at the left of its first item, and none at the right of its last.
        Route { points: points[1..points.len() - 1].to_vec(), is_reversed: chain.is_reversed }
    };
    chains.iter().map(route).collect()
}

/// Returns the distance of the next edge between two nodes from the first one, and counts it. The second is below the
/// first, the third above, and all others over these: boxes are not high.
fn shift(n_before: &mut usize) -> f64 {
    *n_before += 1;
    match *n_before {
        1 => 0.0,
        n if n % 2 == 0 => PARALLEL_GAP,
        _ => -PARALLEL_GAP,
    }
}

struct Column {
    left: f64,
    width: f64,
}

/// Places the layers. Each is as wide as its widest node, with room for labels before it.
fn columns(layered: &Layered, order: &[Vec<usize>], sizes: &[Size], label_widths: &[f64]) -> Vec<Column> {
    let mut gaps = vec![LAYER_GAP; order.len()];
    for (chain, width) in layered.chains.iter().zip(label_widths) {
        if let Some(last) = chain.items.last() {
            let gap = &mut gaps[layered.layer[*last]];
            *gap = gap.max(width + LAYER_GAP / 2.0);
        }
    }
    let mut columns: Vec<Column> = Vec::with_capacity(order.len());
    for (items, gap) in order.iter().zip(gaps) {
        let left = columns.last().map_or(MARGIN, |column| column.left + column.width + gap);
        let width = items.iter().filter_map(|item| sizes.get(*item)).map(|size| size.width).fold(0.0, f64::max);
        columns.push(Column { left, width });
    }
    columns
}

/// Returns the middle of each item, as a distance from the top.
fn middles(layered: &Layered, order: &[Vec<usize>], height: &impl Fn(usize) -> f64) -> Vec<f64> {
    let mut middles = vec![0.0; layered.layer.len()];
    for items in order {
        stack(items, &mut middles, height, |_| None);
    }
    let neighbours = layered.neighbours();
    for pull in 0..N_PULLS {
        let side = &neighbours[pull % 2];
        let layers: Vec<&Vec<usize>> =
            if pull % 2 == 0 { order.iter().collect() } else { order.iter().rev().collect() };
        for items in layers {
            let wishes: Vec<Option<f64>> =
                items.iter().map(|item| mean(side[*item].iter().map(|other| middles[*other]))).collect();
            stack(items, &mut middles, height, |index| wishes[index]);
        }
    }
    middles
}

/// Items that touch each other and move together.
struct Block {
    /// The sum of the places that each item wants for the first of them.
    sum: f64,
    n_items: usize,
}

impl Block {
    fn start(&self) -> f64 {
        self.sum / self.n_items as f64
    }
}

/// Stacks the items of a layer in their order, with gaps, as near as possible to the places that they want by least
/// squares. An item without a wish wants to stay.
///
/// Source: least squares under an order are found by pooling adjacent violators; Ayer et al., "An
/// Empirical Distribution Function for Sampling with Incomplete Information", 1955.
fn stack(items: &[usize], middles: &mut [f64], height: &impl Fn(usize) -> f64, wish: impl Fn(usize) -> Option<f64>) {
    let mut offsets = Vec::with_capacity(items.len());
    let mut blocks: Vec<Block> = Vec::new();
    let mut offset = 0.0;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            offset += (height(items[index - 1]) + height(*item)) / 2.0 + GAP;
        }
        offsets.push(offset);
        let mut block = Block { sum: wish(index).unwrap_or(middles[*item]) - offset, n_items: 1 };
        while let Some(before) = blocks.pop_if(|before| before.start() > block.start()) {
            block = Block { sum: before.sum + block.sum, n_items: before.n_items + block.n_items };
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|block| std::iter::repeat_n(block.start(), block.n_items));
    for ((item, offset), start) in items.iter().zip(offsets).zip(starts) {
        middles[*item] = start + offset;
    }
}
