//! NDJSON: one JSON object per line, ignoring empty lines; or a JSON array of such objects, like an exported
//! list.

use std::io::{self, BufRead, Read, Write};

use super::{
    ImportOptions, REJECT_COLUMN, STORED,
    parser::MARK,
    record::{Cell, Record},
};
use crate::{
    documents::{Choice, RowError, Source},
    domain::{Code, Field, Invalid, PerField, quoted},
    json::JsonValue,
    limits::MAX_IMPORT_ROW_BYTES,
};

pub(super) struct Rows<R> {
    reader: R,
    /// The line on which the current row begins.
    line: u64,
    /// The line up to which the file was read.
    line_read: u64,
    /// How the objects are separated; `None` before the first one.
    form: Option<Form>,
    /// The member name of each attribute.
    names: PerField<String>,
    buffer: Vec<u8>,
}

/// How objects are separated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One per line.
    Lines,
    /// As elements of one array.
    Array,
    /// As elements of one array, of which another one must follow.
    ArrayComma,
    /// The array has ended.
    Ended,
}

/// Returns whether a text begins an array of objects or an empty array. A line may also hold another array,
/// which is invalid.
pub(super) fn begins_array(text: &[u8]) -> bool {
    let inside = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| matches!(inside.first(), Some(b'{' | b']') | None))
}

impl<R: BufRead> Rows<R> {
    pub(super) fn open(reader: R, options: &ImportOptions) -> Result<Self, Invalid> {
        if !matches!(options.source, Source::Auto | Source::Reelshelf) {
            let is_ndjson = Invalid::new(Code::Malformed, "the file is NDJSON");
            let source = options.source.as_str();
            return Err(is_ndjson.with_hint(", and ", "source", source, " is a layout of CSV"));
        }
        if options.rating_scale.is_some() {
            return Err(Invalid::new(
                Code::Malformed,
                "ratingScale is for CSV; ratings of NDJSON are from 1 to 5".to_owned(),
            ));
        }
        let name =
            |field: Field| options.columns.get(&field).map_or(field.as_str(), String::as_str).to_owned();
        let names = PerField::from_fn(name);
        Ok(Self { reader, line: 0, line_read: 0, form: None, names, buffer: Vec::new() })
    }

    /// Reads the next row. Returns whether there is one.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        let form = match self.form {
            Some(form) => form,
            None => self.find_form()?,
        };
        self.form = Some(form);
        match form {
            Form::Lines => self.next_line(),
            Form::Array | Form::ArrayComma => self.next_element(),
            Form::Ended => Ok(false),
        }
    }

    /// Detects the form from the beginning of the file.
    fn find_form(&mut self) -> io::Result<Form> {
        let start = self.reader.fill_buf()?;
        let text = start.strip_prefix(MARK).unwrap_or(start).trim_ascii_start();
        if !begins_array(text) {
            return Ok(Form::Lines);
        }
        self.line_read = 1;
        let before = start.len() - text.len() + 1;
        self.count_lines(before);
        Ok(Form::Array)
    }

    /// Consumes bytes of the buffer and counts their lines.
    fn count_lines(&mut self, count: usize) {
        let bytes = self.reader.fill_buf().unwrap_or_default();
        self.line_read += bytes.iter().take(count).filter(|byte| **byte == b'\n').count() as u64;
        self.reader.consume(count);
    }

    fn next_line(&mut self) -> io::Result<bool> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let most = MAX_IMPORT_ROW_BYTES as u64 + 1;
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
            if self.buffer.len() > MAX_IMPORT_ROW_BYTES {
                return Err(self.invalid(&format!("is longer than {MAX_IMPORT_ROW_BYTES} bytes")));
            }
            if self.buffer.starts_with(MARK) {
                self.buffer.drain(..MARK.len());
            }
            if read == 0 || !self.buffer.trim_ascii().is_empty() {
                return Ok(read > 0);
            }
        }
    }

    /// Reads the next array element up to its comma or bracket. Tracks strings and brackets, so that an
    /// invalid element is also one row.
    fn next_element(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.line = 0;
        let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
        loop {
            let Some(byte) = self.reader.fill_buf()?.first().copied() else {
                self.line = self.line_read;
                return Err(self.invalid("ends, but the array does not"));
            };
            self.count_lines(1);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b']' | b',' if depth == 0 => {
                    let is_blank = self.buffer.trim_ascii().is_empty();
                    if byte == b']' {
                        if is_blank && self.form == Some(Form::ArrayComma) {
                            self.line = self.line_read;
                            return Err(self.invalid("has a comma without an element after it"));
                        }
                        self.form = Some(Form::Ended);
                        self.check_end()?;
                        return Ok(!is_blank);
                    }
                    if is_blank {
                        self.line = self.line_read;
                        return Err(self.invalid("has a comma without an element before it"));
                    }
                    self.form = Some(Form::ArrayComma);
                    return Ok(true);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if self.line == 0 && !byte.is_ascii_whitespace() {
                self.line = self.line_read;
            }
            if self.line > 0 {
                self.buffer.push(byte);
            }
            if self.buffer.len() > MAX_IMPORT_ROW_BYTES {
                return Err(self.invalid(&format!("has an element longer than {MAX_IMPORT_ROW_BYTES} bytes")));
            }
        }
    }

    /// Checks that nothing follows the array.
    fn check_end(&mut self) -> io::Result<()> {
        loop {
            let rest = self.reader.fill_buf()?;
            if rest.is_empty() {
                return Ok(());
            }
            let blank = rest.len() - rest.trim_ascii_start().len();
            let goes_on = blank < rest.len();
            self.count_lines(blank);
            if goes_on {
                self.line = self.line_read;
                return Err(self.invalid("goes on behind the array"));
            }
        }
    }

    fn invalid(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {} {what}", self.line))
    }

    /// Returns the current line.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn record(&self) -> Result<Record<'_>, Box<RowError>> {
        let of_row = |invalid| Box::new(RowError::of_row(self.line, invalid));
        let node = JsonValue::parse(&self.buffer).map_err(of_row)?;
        let JsonValue::Object(members) = node else {
            return Err(of_row(Invalid::new(Code::WrongType, "must be an object").got(node)));
        };
        let mut cells = PerField::<Option<Cell>>::default();
        for (name, value) in members {
            if let Some(field) = self.names.field_of(&name) {
                if cells[field].replace(Cell::Json(value)).is_some() {
                    let mut error = of_row(Invalid::new(Code::Repeated, "must not be given twice"));
                    error.field = Some(field.as_str().into());
                    return Err(error);
                }
            } else if !STORED.contains(&name.as_str()) && name != REJECT_COLUMN {
                let rule = format!("{} is not known here", quoted(&name));
                return Err(of_row(Invalid::new(Code::Unknown, rule)));
            }
        }
        Ok(Record { line: self.line, kind: None, cells, names: &[], is_marked: false })
    }

    /// Writes the current row as one line. An object gets a member with the reason of its rejection.
    pub(super) fn write_reject(&self, to: &mut dyn Write, reason: &str) -> io::Result<()> {
        // An element may span lines; a line end within a string is invalid JSON anyway.
        let one_line: Vec<u8> =
            self.buffer.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect();
        let row = one_line.trim_ascii();
        let Ok(JsonValue::Object(members)) = JsonValue::parse(row) else {
            to.write_all(row)?;
            return to.write_all(b"\n");
        };
        let opening = format!("\"{REJECT_COLUMN}\":");
        let mut inside = row[..row.len() - 1].trim_ascii_end();
        let mut others = !members.is_empty();
        if members.last().is_some_and(|(name, _)| name == REJECT_COLUMN)
            && let Some(start) = inside.windows(opening.len()).rposition(|part| part == opening.as_bytes())
        {
            inside = inside[..start].trim_ascii_end();
            inside = inside.strip_suffix(b",").unwrap_or(inside);
            others = members.len() > 1;
        }
        to.write_all(inside)?;
        to.write_all(if others { b"," } else { b"" })?;
        writeln!(to, "{opening}{}}}", serde_json::Value::from(reason))
    }
}
