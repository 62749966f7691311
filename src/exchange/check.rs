//! Reading a whole file as an import would, without a collection.

use std::io::{Read, Seek, Write};

use super::{FileKind, ImportOptions, Report, RowError, Rows, record::Outcome, unreadable};
use crate::domain::{Code, Invalid};

/// The last column, or member, of a file of refused rows: why the row was refused. It is read over, so
/// that the rows can be mended and imported again as they are.
pub const REJECT_COLUMN: &str = "rejectedBecause";

/// Reads a file as an import would: the report counts what was read, refused and skipped as no film,
/// with the errors and notes. The refused rows go to `rejects`, in the file's own layout with
/// [`REJECT_COLUMN`] added; where none is refused, nothing is written.
///
/// # Errors
/// A file that cannot be read at all, or that breaks off; rejects that cannot be written.
pub fn check<R: Read + Seek>(
    file: R,
    kind: FileKind,
    options: &ImportOptions,
    mut rejects: Option<&mut dyn Write>,
) -> Result<Report, Invalid> {
    let mut rows = Rows::open(file, kind, options)?;
    let mut report = Report { dry_run: true, ..rows.report() };
    while let Some((_, outcome)) = rows.next(&mut report).map_err(|e| unreadable(&e))? {
        let Outcome::Refused(errors) = outcome else { continue };
        if let Some(to) = &mut rejects {
            rows.write_reject(to, &reason(&errors), report.failed == 0).map_err(|e| {
                Invalid::new(Code::Malformed, format!("the refused rows cannot be written: {e}"))
            })?;
        }
        report.fail(errors);
    }
    Ok(report)
}

/// All that is wrong with a row.
fn reason(errors: &[RowError]) -> String {
    let error = |error: &RowError| match &error.field {
        Some(field) => format!("{field} {}", error.detail),
        None => error.detail.clone(),
    };
    errors.iter().map(error).collect::<Vec<_>>().join("; ")
}
