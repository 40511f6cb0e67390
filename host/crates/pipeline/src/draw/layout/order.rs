//! The order of items in a layer.

use super::layered::Layered;

/// The number of times that all layers are ordered by their neighbours. More changes little.
const N_SWEEPS: usize = 8;

/// Orders the items of each layer so that few edges cross.
pub(super) fn order(layered: &mut Layered) -> Vec<Vec<usize>> {
    let mut order = vec![Vec::new(); layered.n_layers];
    for (item, layer) in layered.layer.iter().enumerate() {
        order[*layer].push(item);
    }
    let neighbours = layered.neighbours();
    let mut best = (n_crossings(&order, layered, &neighbours[1]), order.clone());
    for sweep in 0..N_SWEEPS {
        let side = sweep % 2;
        let mut position = positions(&order, layered.layer.len());
        let from_left = 0..order.len();
        let layers: Vec<usize> = if side == 0 { from_left.collect() } else { from_left.rev().collect() };
        for layer in layers {
            sort(&mut order[layer], &neighbours[side], &position);
            for (index, item) in order[layer].iter().enumerate() {
                position[*item] = index;
            }
        }
        let crossings = n_crossings(&order, layered, &neighbours[1]);
        if crossings < best.0 {
            best = (crossings, order.clone());
        }
    }
    best.1
}

/// Sorts a layer by the mean position of each item's neighbours. An item without neighbours stays about where it is.
fn sort(items: &mut [usize], neighbours: &[Vec<usize>], position: &[usize]) {
    let key = |item: &usize| {
        mean(neighbours[*item].iter().map(|other| position[*other] as f64)).unwrap_or(position[*item] as f64)
    };
    items.sort_by_cached_key(|item| TotalOrder(key(item)));
}

/// Returns the mean of the values; none if there are no values.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0_u32, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / f64::from(n))
}

/// A number as a key for sorting.
#[derive(PartialEq)]
struct TotalOrder(f64);

impl Eq for TotalOrder {}

impl PartialOrd for TotalOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TotalOrder {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Returns the position of each item in its layer.
pub(super) fn positions(order: &[Vec<usize>], n_items: usize) -> Vec<usize> {
    let mut position = vec![0; n_items];
    for (index, item) in order.iter().flat_map(|items| items.iter().enumerate()) {
        position[*item] = index;
    }
    position
}

/// Counts the crossings of edges between neighbouring layers.
///
/// Source: Barth, Jünger and Mutzel, "Simple and Efficient Bilayer Cross Counting", 2002: crossings
/// are inversions of the right ends in the order of the left ends, counted with a tree of sums.
fn n_crossings(order: &[Vec<usize>], layered: &Layered, behind: &[Vec<usize>]) -> u64 {
    let position = positions(order, layered.layer.len());
    let mut crossings = 0;
    for (layer, pair) in order.windows(2).enumerate() {
        let [left, right] = pair else { continue };
        let mut sums = vec![0_u64; right.len() + 1];
        let mut n_seen = 0;
        for item in left {
            // The edges of one item do not cross each other.
            let others = behind[*item].iter().filter(|other| layered.layer[**other] == layer + 1);
            let ends: Vec<usize> = others.map(|other| position[*other]).collect();
            crossings += ends.iter().map(|end| n_seen - sum_to(&sums, end + 1)).sum::<u64>();
            for end in &ends {
                add(&mut sums, end + 1);
            }
            n_seen += ends.len() as u64;
        }
    }
    crossings
}

/// Returns the sum of the first `end` values of a Fenwick tree.
fn sum_to(sums: &[u64], mut end: usize) -> u64 {
    let mut sum = 0;
    while end > 0 {
        sum += sums[end];
        end &= end - 1;
    }
    sum
}

/// Adds 1 at a position of a Fenwick tree. Positions begin with 1.
fn add(sums: &mut [u64], mut at: usize) {
    while at < sums.len() {
        sums[at] += 1;
        at += at & at.wrapping_neg();
    }
}
