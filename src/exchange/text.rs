//! Converts the text of a file to UTF-8: byte order marks, UTF-16, and detection of binary files.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::{
    encoding::{Decoding, Encoding},
    parser::MARK,
};
use crate::domain::{Code, Invalid};

/// The number of bytes used to detect the type of a file.
const START: u64 = 4096;

/// What an Excel workbook is, and how to save it as CSV.
const EXCEL: &str =
    "is an Excel workbook; save it as CSV UTF-8 (in Excel: File, Save As) and import that file";

/// Reads a file as UTF-8. UTF-8 is passed through unchecked; invalid UTF-16 is an error.
pub(super) struct Text<R> {
    file: R,
    decode: Option<Decode>,
    /// Decoded text, and how much of it was read.
    decoded: String,
    given: usize,
}

/// The decoder, if the file is not UTF-8.
enum Decode {
    Utf16(Utf16),
    Other(Decoding),
}

/// Combines two bytes to a code unit.
type Unit = fn([u8; 2]) -> u16;

/// A decoder of UTF-16.
struct Utf16 {
    unit: Unit,
    /// The bytes of an incomplete character.
    rest: Vec<u8>,
    /// The number of decoded bytes.
    offset: usize,
}

/// Opens a file behind its byte order marks. Returns whether it has one. UTF-16 is detected by the mark, or
/// given as the encoding.
///
/// # Errors
/// If the file is a workbook, an archive or other binary data.
pub(super) fn open<R: Read + Seek>(
    mut file: R,
    encoding: Option<Encoding>,
) -> Result<(BufReader<Text<R>>, bool), Invalid> {
    let mut start = Vec::new();
    file.by_ref().take(START).read_to_end(&mut start).map_err(super::unreadable)?;
    let (mark, unit): (_, Option<Unit>) = match start.as_slice() {
        bytes if bytes.starts_with(MARK) => {
            (MARK.len() * bytes.chunks(MARK.len()).take_while(|chunk| *chunk == MARK).count(), None)
        }
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes)),
        _ => (0, None),
    };
    let named = encoding.filter(|encoding| mark == 0 && !encoding.is_utf8());
    if unit.is_none() && named.is_none_or(|encoding| !encoding.as_str().starts_with("UTF-16")) {
        refuse_binary(&start)?;
    }
    let back = i64::try_from(start.len().saturating_sub(mark)).unwrap_or_default();
    file.seek(SeekFrom::Current(-back)).map_err(super::unreadable)?;
    let decode = match unit {
        Some(unit) => Some(Decode::Utf16(Utf16 { unit, rest: Vec::new(), offset: 2 })),
        None => named.map(|encoding| Decode::Other(Decoding::of(encoding))),
    };
    let text = Text { file, decode, decoded: String::new(), given: 0 };
    Ok((BufReader::with_capacity(64 * 1024, text), mark > 0))
}

/// Returns what a spreadsheet is and how to save it as CSV. It is a ZIP archive that holds certain names.
pub(super) fn spreadsheet(holds: impl Fn(&str) -> bool) -> Option<&'static str> {
    if holds("[Content_Types].xml") || holds("xl/") {
        return Some(EXCEL);
    }
    if holds("opendocument.spreadsheet") || holds("content.xml") {
        return Some(
            "is an OpenDocument spreadsheet; save it as CSV (in LibreOffice: File, Save As, Text CSV) and import that \
             file",
        );
    }
    holds(".iwa").then_some(
        "is a Numbers spreadsheet; save it as CSV (in Numbers: File, Export To, CSV) and import that file",
    )
}

fn refuse_binary(start: &[u8]) -> Result<(), Invalid> {
    let holds = |text: &[u8]| start.windows(text.len()).any(|window| window == text);
    let what = if start.starts_with(b"PK\x03\x04") {
        spreadsheet(|part| holds(part.as_bytes()))
            .unwrap_or("is a ZIP archive; unpack it and import the files in it")
    } else if start.starts_with(b"\xd0\xcf\x11\xe0") {
        EXCEL
    } else if let Some(place) = start.iter().position(|byte| *byte == 0) {
        let line = start[..place].split(|byte| *byte == b'\n').count();
        &format!(
            "is no text, or UTF-16 without a byte order mark: line {line} has a NUL byte; save it as CSV UTF-8"
        )
    } else {
        return Ok(());
    };
    Err(Invalid::new(Code::Malformed, format!("the file {what}")))
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { file, decode: Some(decode), decoded, given } = self else { return self.file.read(buffer) };
        if *given == decoded.len() {
            *given = 0;
            match decode {
                Decode::Utf16(utf16) => utf16.decode_more(file, decoded)?,
                Decode::Other(decoding) => decoding.decode_more(file, decoded)?,
            }
        }
        let read = (&decoded.as_bytes()[*given..]).read(buffer)?;
        *given += read;
        Ok(read)
    }
}

impl Utf16 {
    /// Decodes the next chunk, which is empty at the end of the file.
    fn decode_more(&mut self, file: &mut impl Read, decoded: &mut String) -> io::Result<()> {
        decoded.clear();
        while decoded.is_empty() {
            let read = file.take(16 * 1024).read_to_end(&mut self.rest)?;
            let units: Vec<u16> = self.rest.as_chunks().0.iter().map(|pair| (self.unit)(*pair)).collect();
            let cut = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)); // the first half of a surrogate pair
            let whole = units.len() - usize::from(cut && read > 0);
            for character in char::decode_utf16(units[..whole].iter().copied()) {
                let character = character.map_err(|_| self.broken())?;
                decoded.push(character);
                self.offset += 2 * character.len_utf16();
            }
            self.rest.drain(..2 * whole);
            if read == 0 {
                return if self.rest.is_empty() { Ok(()) } else { Err(self.broken()) };
            }
        }
        Ok(())
    }

    fn broken(&self) -> io::Error {
        let detail = format!("its UTF-16 is broken at byte {}", self.offset);
        io::Error::new(io::ErrorKind::InvalidData, detail)
    }
}
