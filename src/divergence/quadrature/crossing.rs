//! Where an integrand has kinks that nobody knows beforehand: at the sign changes of a smooth function, its side.
//!
//! Both rules can agree by chance on a panel with a kink inside, and then nothing would tell how far off they are. So
//! the sides at the nodes are looked at: every change of sign is found by bisection and the panel is cut there. Two changes
//! between neighbouring nodes leave a small side between larger ones, which is searched for.

/// A node of a panel and the side there; 0 where rounding hides it.
pub(super) type Node = (f64, f64);

/// Halvings that take an interval to neighbouring numbers.
const HALVINGS: usize = 60;
/// Golden-section steps that tell whether a side between two nodes reaches zero.
const DIP_STEPS: usize = 30;
/// A parabola through three sides that stays above this share of the smallest does not reach zero.
const CLEAR: f64 = 0.5;

/// The points where the side changes its sign, ascending, between nodes in ascending order.
pub(super) fn crossings(nodes: &[Node], mut side: impl FnMut(f64) -> f64) -> Vec<f64> {
    let known: Vec<Node> = nodes.iter().copied().filter(|(_, side)| *side != 0.0 && side.is_finite()).collect();
    let mut found = Vec::new();
    for (index, pair) in known.windows(2).enumerate() {
        let [left, right] = [pair[0], pair[1]];
        if left.1.signum() != right.1.signum() {
            found.push(change(left, right, &mut side));
            continue;
        }
        // A dip shows as a node below its neighbours; it may lie on either side of it.
        let before = index.checked_sub(1).map(|before| known[before]);
        let after = known.get(index + 2).copied();
        for (first, middle, last) in [(before, left, Some(right)), (Some(left), right, after)] {
            let (Some(first), Some(last)) = (first, last) else { continue };
            if let Some(lowest) = dip([first, middle, last], (left.0, right.0), &mut side) {
                found.extend([change(left, lowest, &mut side), change(lowest, right, &mut side)]);
                break;
            }
        }
    }
    found
}

/// The change of sign between two nodes on different sides.
fn change(left: Node, right: Node, side: &mut impl FnMut(f64) -> f64) -> f64 {
    let (mut low, mut high) = (left.0, right.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        match side(middle) * left.1.signum() {
            0.0 => return middle,
            same if same > 0.0 => low = middle,
            _ => high = middle,
        }
    }
    0.5 * (low + high)
}

/// A point of the interval on the other side than three nodes of one side, of which the middle one is nearest to zero.
fn dip(nodes: [Node; 3], (low, high): (f64, f64), side: &mut impl FnMut(f64) -> f64) -> Option<Node> {
    let sign = nodes[1].1.signum();
    let [first, middle, last] = nodes.map(|(y, side)| (y, side * sign));
    if first.1 <= middle.1 || last.1 <= middle.1 || first.1 < 0.0 || last.1 < 0.0 {
        return None;
    }
    // The lowest value of the parabola through the three.
    let (left, right) = (first.0 - middle.0, last.0 - middle.0);
    let (rise, fall) = ((first.1 - middle.1) / left, (last.1 - middle.1) / right);
    let curvature = (fall - rise) / (right - left);
    let slope = rise - curvature * left;
    if curvature > 0.0 && middle.1 - slope * slope / (4.0 * curvature) > CLEAR * middle.1 {
        return None;
    }
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = (low, high);
    for _ in 0..DIP_STEPS {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        let [at_left, at_right] = [left, right].map(|y| side(y) * sign);
        for (y, value) in [(left, at_left), (right, at_right)] {
            if value < 0.0 {
                return Some((y, value * sign));
            }
        }
        if at_left <= at_right { high = right } else { low = left }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(side: impl Fn(f64) -> f64) -> Vec<Node> {
        (0..=10).map(|k| f64::from(k) / 10.0).map(|y| (y, side(y))).collect()
    }

    fn assert_found(side: impl Fn(f64) -> f64 + Copy, expected: &[f64]) {
        let found = crossings(&nodes(side), side);
        assert_eq!(found.len(), expected.len(), "{found:?} instead of {expected:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
        }
    }

    #[test]
    fn changes_of_sign_are_found() {
        assert_found(|y| y - 1.0 / 3.0, &[1.0 / 3.0]);
        assert_found(|y| (y - 0.12) * (y - 0.78), &[0.12, 0.78]);
        assert_found(|_| 1.0, &[]);
        assert_found(|_| 0.0, &[]);
    }

    #[test]
    fn two_changes_between_neighbouring_nodes_are_found() {
        for centre in [0.532, 0.549, 0.568] {
            assert_found(|y| (y - centre) * (y - centre) - 1e-6, &[centre - 1e-3, centre + 1e-3]);
            assert_found(|y| 1e-6 - (y - centre) * (y - centre), &[centre - 1e-3, centre + 1e-3]);
            // One that stays on its side has none.
            assert_found(|y| (y - centre) * (y - centre) + 1e-6, &[]);
        }
    }

    #[test]
    fn what_rounding_hides_is_no_change() {
        assert_found(|y| if (y - 0.5).abs() < 0.05 { 0.0 } else { 1.0 }, &[]);
    }
}
