//! The report as JSON: the contract.

use crate::report::model::tree::Report;
use std::io::{self, Write};

/// Writes `report`, indented, with a newline at the end.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Reads a report.
///
/// # Errors
/// It is not a report; says where.
pub fn read(bytes: &[u8]) -> io::Result<Report> {
    serde_json::from_slice(bytes).map_err(io::Error::other)
}
