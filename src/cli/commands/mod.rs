//! The commands: each takes its arguments, makes a plan, runs it and reports.

pub mod cache;
pub mod divergence;
pub mod doctor;
pub mod features;
pub mod model;
pub mod score;
pub mod shell;
pub mod single;
pub mod stats;
