//! Searches over rows of numbers, written so that the compiler makes vector instructions of them.

/// Numbers that are looked at together.
const LANES: usize = 8;

/// The least aᵢ − bᵢ of two rows of equal length; ∞ of empty ones.
pub(super) fn least_difference(a: &[f64], b: &[f64]) -> f64 {
    let smaller = |a: f64, b: f64| if b < a { b } else { a };
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut least = [f64::INFINITY; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            least[lane] = smaller(least[lane], a[lane] - b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a - b);
    least.into_iter().chain(rest).fold(f64::INFINITY, smaller)
}

/// The first i with aᵢ − bᵢ equal to a number.
pub(super) fn position_of_difference(a: &[f64], b: &[f64], difference: f64) -> Option<usize> {
    a.iter().zip(b).position(|(a, b)| a - b == difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_difference_is_found_wherever_it_is() {
        for length in [1, 7, 8, 9, 40] {
            for place in 0..length {
                let a: Vec<f64> = (0..length).map(|i| if i == place { -3.0 } else { i as f64 }).collect();
                let b = vec![0.5; length];
                let least = least_difference(&a, &b);
                assert_eq!((least, position_of_difference(&a, &b, least)), (-3.5, Some(place)));
            }
        }
        assert_eq!(least_difference(&[], &[]), f64::INFINITY);
    }
}
