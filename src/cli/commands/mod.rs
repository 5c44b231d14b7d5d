//! The commands: each takes its arguments, makes a plan, runs it and reports.

pub mod cache;
pub mod check;
pub mod compare;
pub mod divergence;
pub mod doctor;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod features;
pub mod generate;
pub mod grid;
pub mod interpolate;
pub mod merge;
pub mod model;
pub mod reconstruct;
pub mod reports;
pub mod runs;
pub mod scatter;
pub mod score;
pub mod shards;
pub mod shell;
pub mod stats;
pub mod train;
pub mod traverse;
