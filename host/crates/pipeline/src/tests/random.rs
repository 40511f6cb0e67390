//! Random graphs, compared with answers of a naive search.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::support::linked;
use crate::StageGraph;

/// Makes a graph in which stage `i` takes the values of the stages `takes[i]`.
fn graph(takes: &[BTreeSet<usize>]) -> StageGraph {
    let stage = |(index, takes): (usize, &BTreeSet<usize>)| {
        let params: Vec<String> = takes.iter().map(|other| format!("s{other}: string")).collect();
        format!("s{index}({}) -> string\n", params.join(", "))
    };
    linked(&takes.iter().enumerate().map(stage).collect::<String>(), "").unwrap()
}

/// Collects the stages that a stage needs, one round after the other.
fn needed(takes: &[BTreeSet<usize>], wanted: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::from([wanted]);
    loop {
        let more: BTreeSet<usize> = needed.iter().flat_map(|id| takes[*id].iter().copied()).collect();
        if more.is_subset(&needed) {
            return needed;
        }
        needed.extend(more);
    }
}

fn random_graph() -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
    (1..12_usize).prop_flat_map(|n| proptest::collection::vec(proptest::collection::btree_set(0..n, 0..4), n)).prop_map(
        |mut takes| {
            // A stage does not feed itself by name.
            takes.iter_mut().enumerate().for_each(|(id, takes)| takes.retain(|other| *other != id));
            takes
        },
    )
}

proptest! {
    #[test]
    fn an_order_has_what_is_needed_and_feeders_first_or_there_is_a_cycle(takes in random_graph(), wanted in 0..12_usize) {
        let wanted = wanted % takes.len();
        let needed = needed(&takes, wanted);
        let on_cycle = |id: &usize| takes[*id].iter().any(|other| self::needed(&takes, *other).contains(id));
        match graph(&takes).order(&[wanted]) {
            Ok(order) => {
                prop_assert!(!needed.iter().any(on_cycle));
                prop_assert_eq!(order.len(), needed.len());
                prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), needed);
                for (position, id) in order.iter().enumerate() {
                    prop_assert!(takes[*id].iter().all(|feeder| order[..position].contains(feeder)));
                }
            }
            Err(_) => prop_assert!(needed.iter().any(on_cycle)),
        }
    }

    #[test]
    fn leaves_are_what_nobody_takes(takes in random_graph()) {
        let naive: Vec<usize> = (0..takes.len()).filter(|id| !takes.iter().any(|takes| takes.contains(id))).collect();
        prop_assert_eq!(graph(&takes).leaves(), naive);
    }
}
