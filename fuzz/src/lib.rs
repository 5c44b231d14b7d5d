//! Fuzz targets of gan-metrics: one for each of its parsers of foreign bytes.

mod parsers;

pub use parsers::{PARSERS, Parser};

/// Runs the parser of a target.
pub fn run(name: &str, bytes: &[u8]) {
    let parser = PARSERS.iter().find(|parser| parser.name == name).expect("each target has a parser");
    (parser.run)(bytes);
}
