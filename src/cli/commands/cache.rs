//! `gan-metrics cache …`: the features kept for later runs.

use std::fmt::Write;

use crate::Result;
use crate::evaluate::cache::FeatureCache;
use crate::extractor::home_folder;

use crate::cli::args::CacheCommand;
use crate::cli::exit::Outcome;
use crate::cli::output;

const MEBIBYTE: f64 = (1 << 20) as f64;

/// Runs one of the commands.
pub fn run(command: &CacheCommand) -> Result<Outcome> {
    // Nothing is stored here, so that the limit plays no part.
    let cache = FeatureCache::of_user(u64::MAX);
    let folder = home_folder().join("features");
    let mut text = String::new();
    match command {
        CacheCommand::List => {
            let entries = cache.entries()?;
            let total: u64 = entries.iter().map(|entry| entry.bytes).sum();
            let summary = format!("{}: {} sets, {:.1} MiB", folder.display(), entries.len(), total as f64 / MEBIBYTE);
            writeln!(text, "{summary}").expect("a String takes any text");
            for entry in entries {
                let what =
                    entry.provenance.map_or("damaged: it will be removed when it is asked for".into(), |known| {
                        format!("{} images, {} {}, resize {}", known.n, known.extractor, known.layer, known.resize)
                    });
                let age = entry.used.elapsed().unwrap_or_default().as_secs_f64() / 86_400.0;
                let name = entry.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let size = entry.bytes as f64 / MEBIBYTE;
                writeln!(text, "  {name:.12}  {size:>9.1} MiB  used {age:.1} days ago  {what}")
                    .expect("a String takes any text");
            }
        }
        CacheCommand::Clear => {
            let (sets, bytes) = cache.clear()?;
            writeln!(text, "removed {sets} sets, {:.1} MiB, from {}", bytes as f64 / MEBIBYTE, folder.display())
                .expect("a String takes any text");
        }
    }
    output::to_stdout(&text)?;
    Ok(Outcome::Success)
}
