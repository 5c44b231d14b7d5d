//! Code of others that answers damaged input with a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in [`shielded`] work, whose panics are not defects of this crate.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line reports defects"))]
pub(crate) fn is_at_work() -> bool {
    AT_WORK.get()
}

/// Does work that may panic on input that it does not expect, and makes an error of that. Nothing that the work has touched may be used after it
/// failed.
///
/// # Errors
/// What the panic said.
pub(crate) fn shielded<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    let before = AT_WORK.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    AT_WORK.set(before);
    outcome.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        text.unwrap_or("no reason was given").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        assert_eq!(shielded(|| 7), Ok(7));
        let outcome: Result<(), String> = shielded(|| {
            assert!(is_at_work());
            panic!("a size of {}", 12);
        });
        assert_eq!(outcome, Err("a size of 12".to_owned()));
        assert!(!is_at_work());
    }
}
