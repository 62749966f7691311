//! Validates a whole file without a collection.

use std::io::{Read, Seek, Write};

use super::{FileKind, ImportOptions, Rows, record::Outcome};
use crate::{
    documents::{Report, RowError},
    domain::{Code, Invalid},
};

/// The last column (or member) of a rejects file: why the row was rejected. An import ignores it, so the rows
/// can be corrected and imported again.
pub const REJECT_COLUMN: &str = "rejectedBecause";

/// Validates a file like an import. The report counts rows read, rejected and skipped, with errors and notes.
/// Rejected rows are written to `rejects` in the file's own layout, with [`REJECT_COLUMN`] added. Without a
/// rejected row nothing is written.
///
/// # Errors
/// If the file cannot be read or ends within a row, or if `rejects` cannot be written.
pub fn check<R: Read + Seek>(
    file: R,
    kind: FileKind,
    options: &ImportOptions,
    mut rejects: Option<&mut dyn Write>,
) -> Result<Report, Invalid> {
    let mut rows = Rows::open(file, kind, options)?;
    let mut report = Report { dry_run: true, ..rows.report() };
    while let Some((_, outcome)) = rows.next(&mut report)? {
        let Outcome::Rejected(errors) = outcome else { continue };
        if let Some(to) = &mut rejects {
            rows.write_reject(to, &reason(&errors), report.failed == 0).map_err(|e| {
                Invalid::new(Code::Malformed, format!("the rejected rows cannot be written: {e}"))
            })?;
        }
        report.fail(errors);
    }
    Ok(report)
}

/// Joins all errors of a row.
fn reason(errors: &[RowError]) -> String {
    let error = |error: &RowError| match &error.field {
        Some(field) => format!("{field} {}", error.detail),
        None => error.detail.clone(),
    };
    errors.iter().map(error).collect::<Vec<_>>().join("; ")
}
