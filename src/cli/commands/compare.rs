//! `gan-metrics compare FIRST SECOND`

use super::reports::Reports;
use crate::Result;
use crate::cli::args::ReportsArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::report::{Comparison, entry};

/// Says which numbers of two reports differ by more than the choice of the images explains.
pub fn run(args: &ReportsArgs) -> Result<Outcome> {
    let Reports { both: [first, second], file } = Reports::open(args)?;
    let comparison = Comparison::of([&first, &second])?;
    let found = match args.json {
        true => comparison.to_json(),
        false if comparison.lacks_intervals() => {
            comparison.to_text() + &entry("note", "intervals are computed with --ci 95, in both runs")
        }
        false => comparison.to_text(),
    };
    output::write(file, &found)?;
    Ok(Outcome::Success)
}
