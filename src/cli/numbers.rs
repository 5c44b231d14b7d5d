//! Numbers as users type them.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A parser of whole numbers that answers anything else with their range.
///
/// clap's own say "invalid digit" of −1 and "too large" of 2⁶⁴, and name no range.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A parser of seeds.
pub fn seed(text: &str) -> Result<u64, String> {
    whole(0..=u64::MAX)(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_named() {
        let parse = whole::<usize>(1..=1000);
        assert_eq!((parse("1"), parse("1000")), (Ok(1), Ok(1000)));
        for text in ["0", "1001", "-1", "1.5", "x", "", "18446744073709551616"] {
            assert_eq!(parse(text), Err("expected a whole number from 1 to 1000".to_owned()), "{text}");
        }
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
    }
}
