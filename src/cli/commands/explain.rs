//! `gan-metrics explain FIRST SECOND`

use super::reports::Reports;
use crate::Result;
use crate::cli::args::ReportsArgs;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::report::Explanation;

/// Says in what the runs behind two reports differ.
pub fn run(args: &ReportsArgs) -> Result<Outcome> {
    let Reports { both: [first, second], file } = Reports::open(args)?;
    let explanation = Explanation::of([&first, &second]);
    output::write(file, &if args.json { explanation.to_json() } else { explanation.to_text() })?;
    Ok(Outcome::Success)
}
