//! Every parser of foreign bytes on files that were changed at random: it returns, whatever it is given.

#[path = "../../fuzz/src/parsers.rs"]
mod parsers;

use std::time::{Duration, Instant};

use rand_mt::Mt64;

use parsers::{PARSERS, Parser};

/// Changed files for each parser in `make test`.
const FILES: usize = 120;

/// Numbers that sizes and offsets are seldom prepared for.
const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, u64::MAX];

/// Some changes to a file: bytes, numbers of all widths in both orders, cuts, copies, digits.
fn changed(seed: &[u8], random: &mut Mt64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut below = |bound: usize| (random.next_u64() % bound.max(1) as u64) as usize;
    for _ in 0..=below(6) {
        let at = below(bytes.len());
        let end = (at + 1 + below(64)).min(bytes.len());
        match below(8) {
            _ if bytes.is_empty() => bytes.push(below(256) as u8),
            0..=2 => bytes[at] = below(256) as u8,
            3 => {
                let number = NUMBERS[below(NUMBERS.len())];
                let width = [1, 2, 4, 8][below(4)];
                let ordered =
                    if below(2) == 0 { number.to_le_bytes() } else { (number << (64 - 8 * width)).to_be_bytes() };
                bytes.iter_mut().skip(at).zip(&ordered[..width]).for_each(|(byte, new)| *byte = *new);
            }
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                let place = below(bytes.len());
                drop(bytes.splice(place..place, copy));
            }
            6 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, b"99999999999".iter().copied().take(1 + below(11)))),
        }
    }
    bytes
}

fn try_files(parser: &Parser, random: &mut Mt64, mut go_on: impl FnMut(usize) -> bool) -> usize {
    let seeds = (parser.seeds)();
    assert!(!seeds.is_empty(), "{}", parser.name);
    seeds.iter().for_each(|seed| (parser.run)(seed));
    let mut files = 0;
    while go_on(files) {
        let bytes = changed(&seeds[files % seeds.len()], random);
        let outcome = std::panic::catch_unwind(|| (parser.run)(&bytes));
        if outcome.is_err() {
            let kept = std::env::temp_dir().join(format!("hostile-{}-{files}", parser.name));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("{}: kept as {}", parser.name, kept.display());
        }
        files += 1;
    }
    files
}

#[test]
fn changed_files_are_read_or_refused() {
    for (number, parser) in PARSERS.iter().enumerate() {
        try_files(parser, &mut Mt64::new(number as u64), |files| files < FILES);
    }
}

#[test]
#[ignore = "runs for 19 minutes: PARSERS=npz,onnx cargo test --test library -- --ignored for_a_minute_each --nocapture"]
fn changed_files_are_read_or_refused_for_a_minute_each() {
    let wanted = std::env::var("PARSERS").unwrap_or_default();
    let is_wanted = |parser: &&Parser| wanted.is_empty() || wanted.split(',').any(|name| name == parser.name);
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for parser in PARSERS.iter().filter(is_wanted) {
        let begun = Instant::now();
        let files = try_files(parser, &mut Mt64::new(seed), |_| begun.elapsed() < Duration::from_secs(60));
        println!("{}: {files} files", parser.name);
    }
}
