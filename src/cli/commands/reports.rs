//! What the commands about two reports have in common.

use crate::Result;
use crate::cli::args::ReportsArgs;
use crate::output::{Output, Outputs};
use crate::report::Recorded;

/// Two reports that were read, and where what is found in them goes.
pub struct Reports {
    /// The reports.
    pub both: [Recorded; 2],
    /// The file that was claimed, if one was named.
    pub file: Option<Output>,
}

impl Reports {
    /// Claims the output and reads the reports.
    pub fn open(args: &ReportsArgs) -> Result<Self> {
        let ReportsArgs { first, second, output, .. } = args;
        let mut outputs = Outputs::beside([first, second]);
        let file = output.as_deref().map(|path| outputs.claim(path)).transpose()?;
        Ok(Self { both: [Recorded::read(first)?, Recorded::read(second)?], file })
    }
}
