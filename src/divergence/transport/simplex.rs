//! The network simplex method for the transportation problem, on integer masses.
//!
//! A basis is a spanning tree. The start is a star: artificial arcs to a root whose cost M is larger than any other and
//! is kept symbolic, as a count beside every potential, so that it costs no digits. Masses are integers, so flows are
//! exact and Cunningham's rule for the leaving arc (1976) excludes cycling. Entering arcs come from a block search over
//! plain numbers, in which M is merely large; what it finds is judged by the symbolic potentials, and so is the end.

use ndarray::ArrayView2;

use super::lanes::{least_difference, position_of_difference};

/// Reduced costs below this many rounding errors of their terms count as negative.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// "No node".
const NONE: usize = usize::MAX;

/// A number plus a multiple of an infinitely large cost M, compared by the multiple first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct BigCost {
    big: i32,
    value: f64,
}

impl BigCost {
    fn plus(self, other: BigCost, sign: i32) -> Self {
        BigCost { big: self.big + sign * other.big, value: self.value + f64::from(sign) * other.value }
    }
}

/// An optimal basis: masses on its arcs and potentials of its nodes.
pub(super) struct Solution {
    /// (source, sink, mass), for positive masses.
    pub flows: Vec<(usize, usize, u64)>,
    /// gⱼ of the sinks: together with fᵢ = minⱼ (cᵢⱼ + gⱼ) of the sources they solve the dual problem.
    pub sink_potentials: Vec<f64>,
}

/// Minimises Σ mᵢⱼ·cᵢⱼ over plans m with the given positive marginals, which have equal sums.
pub(super) fn solve(supply: &[u64], demand: &[u64], cost: ArrayView2<'_, f64>) -> Solution {
    let rows = cost.as_standard_layout();
    let cost = rows.as_slice().expect("the standard layout is contiguous");
    let mut tree = Tree::star(supply, demand, cost);
    let arcs = cost.len();
    let block = (arcs as f64).sqrt().ceil().max(16.0) as usize;
    let mut next = Place { source: 0, column: 0 };
    // Potentials drift with every pivot, so the last word is spoken on potentials computed afresh.
    let mut fresh = false;
    loop {
        let found = tree.entering_arc(&mut next, block).or_else(|| if fresh { tree.any_negative_arc() } else { None });
        match found {
            Some((source, sink)) => {
                tree.pivot(source, sink);
                fresh = false;
            }
            None if !fresh => {
                tree.recompute_potentials();
                fresh = true;
            }
            None => return tree.into_solution(),
        }
    }
}

/// Where the search for an entering arc goes on.
struct Place {
    source: usize,
    column: usize,
}

/// M in the search, in units of the largest cost: enough to prefer arcs that drive artificial ones out.
const LARGE: f64 = 64.0;

/// A spanning tree of sources, sinks and the root; the arc between a node and its parent belongs to the node.
struct Tree<'a> {
    /// A row for each source.
    cost: &'a [f64],
    sources: usize,
    sinks: usize,
    root: usize,
    parent: Vec<usize>,
    /// Whether the arc leads from the node to its parent.
    upward: Vec<bool>,
    flow: Vec<u64>,
    depth: Vec<u32>,
    potential: Vec<BigCost>,
    /// The potentials as plain numbers, with `large` in the place of M, counted from `base`.
    plain: Vec<f64>,
    large: f64,
    base: i32,
    first_child: Vec<usize>,
    next_sibling: Vec<usize>,
    previous_sibling: Vec<usize>,
    stack: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn star(supply: &[u64], demand: &[u64], cost: &'a [f64]) -> Self {
        let (sources, root) = (supply.len(), supply.len() + demand.len());
        let nodes = root + 1;
        let mut tree = Tree {
            cost,
            sources,
            sinks: demand.len(),
            root,
            parent: vec![NONE; nodes],
            upward: (0..nodes).map(|node| node < sources).collect(),
            flow: supply.iter().chain(demand).copied().chain([0]).collect(),
            depth: vec![0; nodes],
            potential: vec![BigCost { big: 0, value: 0.0 }; nodes],
            plain: vec![0.0; nodes],
            large: LARGE * cost.iter().fold(f64::MIN_POSITIVE, |largest, cost| largest.max(cost.abs())),
            base: 0,
            first_child: vec![NONE; nodes],
            next_sibling: vec![NONE; nodes],
            previous_sibling: vec![NONE; nodes],
            stack: Vec::new(),
        };
        for node in 0..root {
            tree.attach(node, root);
        }
        tree.recompute_potentials();
        tree
    }

    /// Cost of the arc between a node and its parent. Artificial arcs cost M into the sinks and nothing out of the
    /// sources.
    fn arc_cost(&self, node: usize) -> BigCost {
        let parent = self.parent[node];
        if parent == self.root {
            return BigCost { big: i32::from(!self.upward[node]), value: 0.0 };
        }
        let (source, sink) = if self.upward[node] { (node, parent) } else { (parent, node) };
        BigCost { big: 0, value: self.cost[source * self.sinks + sink - self.sources] }
    }

    fn plain_potential(&self, potential: BigCost) -> f64 {
        // Without a product where there is nothing to multiply: all the digits of the value stay.
        potential.value + f64::from(potential.big - self.base) * self.large
    }

    /// The potential that gives a node's arc no reduced cost, given its parent's.
    fn potential_from_parent(&self, node: usize) -> BigCost {
        let sign = if self.upward[node] { -1 } else { 1 };
        self.potential[self.parent[node]].plus(self.arc_cost(node), sign)
    }

    /// An arc with a negative reduced cost: the most negative of the first block that has one, in plain numbers.
    fn entering_arc(&self, next: &mut Place, block: usize) -> Option<(usize, usize)> {
        let sink_potentials = &self.plain[self.sources..self.root];
        let (mut best, mut found) = (0.0, None);
        let (mut left, mut left_in_block) = (self.cost.len(), block);
        while left > 0 {
            let Place { source, column } = *next;
            let length = left_in_block.min(self.sinks - column);
            let start = source * self.sinks + column;
            let (costs, potentials) = (&self.cost[start..start + length], &sink_potentials[column..column + length]);
            let least = least_difference(costs, potentials);
            let reduced = least + self.plain[source];
            if reduced < best
                && let Some(index) = position_of_difference(costs, potentials, least)
                && self.is_negative(source, column + index)
            {
                (best, found) = (reduced, Some((source, self.sources + column + index)));
            }
            *next = if column + length < self.sinks {
                Place { source, column: column + length }
            } else {
                Place { source: if source + 1 == self.sources { 0 } else { source + 1 }, column: 0 }
            };
            (left, left_in_block) = (left.saturating_sub(length), left_in_block - length);
            if left_in_block == 0 {
                if found.is_some() {
                    break;
                }
                left_in_block = block;
            }
        }
        found
    }

    /// Whether an arc has a negative reduced cost, by more than rounding.
    fn is_negative(&self, source: usize, column: usize) -> bool {
        let (from, to) = (self.potential[source], self.potential[self.sources + column]);
        let cost = self.cost[source * self.sinks + column];
        let size = cost.abs().max(from.value.abs()).max(to.value.abs());
        from.big < to.big || (from.big == to.big && cost + from.value - to.value < -ROUNDING * size)
    }

    /// Any arc with a negative reduced cost, by the symbolic potentials alone.
    fn any_negative_arc(&self) -> Option<(usize, usize)> {
        let columns = |source| (0..self.sinks).map(move |column| (source, column));
        let negative = (0..self.sources).flat_map(columns).find(|(source, column)| self.is_negative(*source, *column));
        negative.map(|(source, column)| (source, self.sources + column))
    }

    /// Sends as much as possible around the cycle that an arc closes, and exchanges it for the arc that blocks.
    fn pivot(&mut self, source: usize, sink: usize) {
        let join = self.common_ancestor(source, sink);
        let (mut moved, mut leaving, mut leaves_source_side) = (u64::MAX, NONE, true);
        let mut node = source;
        while node != join {
            if self.upward[node] && self.flow[node] < moved {
                (moved, leaving, leaves_source_side) = (self.flow[node], node, true);
            }
            node = self.parent[node];
        }
        // "≤" here and "<" above pick the last blocking arc of the cycle, which keeps the basis strongly feasible.
        node = sink;
        while node != join {
            if !self.upward[node] && self.flow[node] <= moved {
                (moved, leaving, leaves_source_side) = (self.flow[node], node, false);
            }
            node = self.parent[node];
        }
        if moved > 0 {
            self.shift_flow(source, join, moved, false);
            self.shift_flow(sink, join, moved, true);
        }
        let (child, parent) = if leaves_source_side { (source, sink) } else { (sink, source) };
        self.hang_up(child, parent, leaving, leaves_source_side, moved);
    }

    fn common_ancestor(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.depth[a] >= self.depth[b] { a = self.parent[a] } else { b = self.parent[b] }
        }
        a
    }

    /// Changes the flow on the path up to `join`: arcs whose direction is `gains` gain, the others lose.
    fn shift_flow(&mut self, mut node: usize, join: usize, moved: u64, gains: bool) {
        while node != join {
            if self.upward[node] == gains {
                self.flow[node] += moved
            } else {
                self.flow[node] -= moved
            }
            node = self.parent[node];
        }
    }

    /// Cuts the arc above `leaving`, turns the tree below it so that `child` is its root, and hangs that to `parent`.
    fn hang_up(&mut self, child: usize, parent: usize, leaving: usize, upward: bool, flow: u64) {
        let (mut node, mut new_parent, mut new_upward, mut new_flow) = (child, parent, upward, flow);
        loop {
            let old = (self.parent[node], self.upward[node], self.flow[node]);
            self.detach(node);
            self.attach(node, new_parent);
            (self.upward[node], self.flow[node]) = (new_upward, new_flow);
            if node == leaving {
                break;
            }
            // The arc that led up from here now belongs to the old parent and points the other way round the tree.
            (new_parent, new_upward, new_flow) = (node, !old.1, old.2);
            node = old.0;
        }
        let change = self.potential_from_parent(child).plus(self.potential[child], -1);
        self.stack.push(child);
        while let Some(node) = self.stack.pop() {
            self.depth[node] = self.depth[self.parent[node]] + 1;
            self.potential[node] = self.potential[node].plus(change, 1);
            self.plain[node] = self.plain_potential(self.potential[node]);
            self.push_children(node);
        }
    }

    fn recompute_potentials(&mut self) {
        self.push_children(self.root);
        while let Some(node) = self.stack.pop() {
            self.depth[node] = self.depth[self.parent[node]] + 1;
            self.potential[node] = self.potential_from_parent(node);
            self.push_children(node);
        }
        self.base = self.potential[..self.root].iter().map(|potential| potential.big).min().unwrap_or(0);
        for node in 0..self.root {
            self.plain[node] = self.plain_potential(self.potential[node]);
        }
    }

    fn push_children(&mut self, node: usize) {
        let mut child = self.first_child[node];
        while child != NONE {
            self.stack.push(child);
            child = self.next_sibling[child];
        }
    }

    fn attach(&mut self, node: usize, parent: usize) {
        let first = self.first_child[parent];
        self.parent[node] = parent;
        self.next_sibling[node] = first;
        self.previous_sibling[node] = NONE;
        if first != NONE {
            self.previous_sibling[first] = node;
        }
        self.first_child[parent] = node;
    }

    fn detach(&mut self, node: usize) {
        let (previous, next) = (self.previous_sibling[node], self.next_sibling[node]);
        if previous == NONE {
            self.first_child[self.parent[node]] = next;
        } else {
            self.next_sibling[previous] = next;
        }
        if next != NONE {
            self.previous_sibling[next] = previous;
        }
    }

    fn into_solution(self) -> Solution {
        let real = (0..self.root).filter(|node| self.parent[*node] != self.root && self.flow[*node] > 0);
        let flows = real
            .map(|node| {
                let (source, sink) =
                    if self.upward[node] { (node, self.parent[node]) } else { (self.parent[node], node) };
                (source, sink - self.sources, self.flow[node])
            })
            .collect();
        // Parts of the tree that only artificial arcs connect are M apart: any finite M beyond all other terms will do.
        let real_nodes = &self.potential[..self.root];
        let largest = self.cost.iter().copied().chain(real_nodes.iter().map(|potential| potential.value));
        let stand_in = 4.0 * largest.fold(0.0, |size: f64, value| size.max(value.abs()));
        let lowest = real_nodes.iter().map(|potential| potential.big).min().unwrap_or(0);
        let sink_potentials = real_nodes[self.sources..]
            .iter()
            .map(|potential| -(potential.value + f64::from(potential.big - lowest) * stand_in))
            .collect();
        Solution { flows, sink_potentials }
    }
}
