//! The commands: each takes its arguments, makes a plan, runs it and reports.

pub mod cache;
pub mod divergence;
pub mod doctor;
pub mod export;
pub mod features;
pub mod generate;
pub mod model;
pub mod score;
pub mod shell;
pub mod stats;
pub mod train;
