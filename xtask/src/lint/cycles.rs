//! Finds groups of nodes in which each node reaches every other one (strongly connected
//! components).

use std::collections::{BTreeMap, BTreeSet};

/// The maximal groups of two or more nodes in which every node reaches every other one. Each group
/// is sorted.
pub(super) fn find<'a>(arrows: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Vec<&'a str>> {
    let mut outgoing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        outgoing.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        outgoing.keys().map(|node| (*node, reachable(node, &outgoing))).collect();
    let mut grouped = BTreeSet::new();
    let mut groups = Vec::new();
    for (node, targets) in &reached {
        if grouped.contains(node) || !targets.contains(node) {
            continue;
        }
        let group: Vec<&str> = targets
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(node)))
            .copied()
            .collect();
        grouped.extend(group.iter().copied());
        if group.len() > 1 {
            groups.push(group);
        }
    }
    groups
}

fn reachable<'a>(from: &str, outgoing: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(node) = open.pop() {
        for next in outgoing.get(node).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_chain_is_not_a_cycle() {
        assert!(find([("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
    }

    #[test]
    fn two_cycles_are_separate_groups_without_other_nodes() {
        let arrows =
            [("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "c"), ("x", "a")];
        assert_eq!(find(arrows), [vec!["a", "b"], vec!["c", "d", "e"]]);
    }

    #[test]
    fn cycles_that_share_a_node_are_one_group() {
        let arrows = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")];
        assert_eq!(find(arrows), [vec!["a", "b", "c"]]);
    }
}
