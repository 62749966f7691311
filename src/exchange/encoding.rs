//! Named text encodings, for files that are not in UTF-8: many Windows programs use others, and IMDb did
//! until 2017.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, WINDOWS_1251, WINDOWS_1252};
use serde::Serialize;

use crate::domain::{Code, Invalid, quoted};

/// An encoding by a label of the Encoding Standard, such as `windows-1252` or `shift_jis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// The encodings that are listed first.
    pub const COMMON: [&str; 6] =
        ["utf-8", "windows-1252", "windows-1250", "windows-1251", "iso-8859-15", "shift_jis"];

    /// The choices of the import page, with their labels. Without a name, the encoding is guessed.
    pub const OFFERED: [(&str, &str); 8] = [
        ("", "detect: UTF-8, UTF-16 or Windows"),
        ("windows-1252", "Windows, Western Europe (1252)"),
        ("windows-1250", "Windows, Central Europe (1250)"),
        ("windows-1251", "Windows, Cyrillic (1251)"),
        ("windows-1253", "Windows, Greek (1253)"),
        ("windows-1254", "Windows, Turkish (1254)"),
        ("shift_jis", "Japanese (Shift_JIS)"),
        ("gb18030", "Chinese (GB18030)"),
    ];

    /// Parses a label.
    ///
    /// # Errors
    /// `Code::Malformed` for an unknown label.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let known = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes());
        known.map(Self).ok_or_else(|| {
            let common = Self::COMMON.join(", ");
            Invalid::new(Code::Malformed, format!("must be the name of an encoding, such as {common}"))
                .got(quoted(name))
        })
    }

    /// Returns the label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    pub(super) fn is_utf8(self) -> bool {
        self.0 == encoding_rs::UTF_8
    }
}

impl Serialize for Encoding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Returns Windows-1252 for a text that is not in UTF-8, but may be in Windows-1252: the files of many spreadsheets.
/// If whole words are not ASCII, it is Windows-1251. If only a few characters are damaged, there is more valid UTF-8
/// than invalid.
///
/// # Errors
/// If the file cannot be read.
pub fn guess_encoding(mut file: impl Read) -> io::Result<Option<Encoding>> {
    /// Bytes that Windows-1252 does not define, and those that text does not have.
    const NOT_IN_TEXT: [u8; 6] = [0, 0x81, 0x8d, 0x8f, 0x90, 0x9d];

    /// The first letter of both encodings.
    const LETTERS: u8 = 0xc0;

    let (mut chunk, mut valid, mut invalid, mut letters, mut neighbours) = (Vec::new(), 0, 0, 0, 0);
    loop {
        let read = file.by_ref().take(64 * 1024).read_to_end(&mut chunk)?;
        letters += chunk.iter().filter(|byte| **byte >= LETTERS).count();
        neighbours += chunk.windows(2).filter(|two| two.iter().all(|byte| *byte >= LETTERS)).count();
        let mut rest = Vec::new();
        let mut parts = chunk.utf8_chunks().peekable();
        while let Some(part) = parts.next() {
            valid += part.valid().chars().filter(|c| !c.is_ascii()).count();
            if part.valid().contains('\0') || part.invalid().iter().any(|byte| NOT_IN_TEXT.contains(byte)) {
                return Ok(None);
            }
            if read > 0 && parts.peek().is_none() {
                rest = part.invalid().to_vec(); // may be the beginning of a character
            } else {
                invalid += usize::from(!part.invalid().is_empty());
            }
        }
        if read == 0 {
            let encoding = if neighbours * 2 > letters { WINDOWS_1251 } else { WINDOWS_1252 };
            return Ok((invalid > valid).then_some(Encoding(encoding)));
        }
        chunk = rest;
    }
}

/// Returns the violation of a text that is not UTF-8, with its reading in the most probable encoding.
pub(super) fn not_utf8(bytes: &[u8]) -> Invalid {
    let invalid = Invalid::new(Code::Malformed, "is not UTF-8");
    let (text, _, _) = WINDOWS_1252.decode(bytes);
    if text.contains(char::is_control) {
        return invalid.with_hint("; ", "encoding", "NAME", " gives the encoding of the file");
    }
    let reading = format!(" reads it as {}", quoted(text.trim()));
    invalid.with_hint("; ", "encoding", "windows-1252", reading)
}

/// A decoder to UTF-8.
pub(super) struct Decoding {
    decoder: Decoder,
    name: &'static str,
    /// Bytes that are not decoded yet.
    read: Vec<u8>,
    /// The number of decoded bytes.
    offset: usize,
    at_end: bool,
}

impl Decoding {
    pub(super) fn of(encoding: Encoding) -> Self {
        let decoder = encoding.0.new_decoder_without_bom_handling();
        Self { decoder, name: encoding.as_str(), read: Vec::new(), offset: 0, at_end: false }
    }

    /// Decodes the next chunk, which is empty at the end of the file.
    pub(super) fn decode_more(&mut self, file: &mut impl Read, decoded: &mut String) -> io::Result<()> {
        decoded.clear();
        while decoded.is_empty() && !self.at_end {
            let read = file.take(16 * 1024).read_to_end(&mut self.read)?;
            let is_last = read == 0;
            let most = self.decoder.max_utf8_buffer_length_without_replacement(self.read.len());
            decoded.reserve(most.unwrap_or_default());
            let (result, consumed) =
                self.decoder.decode_to_string_without_replacement(&self.read, decoded, is_last);
            self.offset += consumed;
            if let DecoderResult::Malformed(..) = result {
                let detail = format!("it is not in {}: see byte {}", self.name, self.offset);
                return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
            }
            self.read.drain(..consumed);
            self.at_end = is_last;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_windows_encoding_is_guessed_for_text_that_is_not_utf8() {
        let guess = |bytes: &[u8]| guess_encoding(bytes).unwrap().map(Encoding::as_str);
        for (bytes, expected) in [
            (&b"Film;Jahr\r\nAm\xe9lie;2001\r\n"[..], Some("windows-1252")),
            (b"L\xe4nge", Some("windows-1252")),
            (b"\xe9", Some("windows-1252")),
            (b"Le D\xe9ne\xe9, Le f\xe9\xe9rique", Some("windows-1252")),
            (b"\xd1\xf2\xe0\xeb\xea\xe5\xf0;1979\r\nAm\xe9lie;2001\r\n", Some("windows-1251")),
            (b"Heat", None),
            ("Amélie, 千と千尋".as_bytes(), None),
            ("Amélie, Der Himmel über Berlin, \u{fffd}".as_bytes(), None),
            (b"Am\xc3\xa9lie, \xc3\xbcber, \xff", None), // a damaged character
            (b"\xff\xfeH\0", None),
            (b"\x83\x8f\x83\x93", None), // Shift_JIS
            (b"", None),
        ] {
            assert_eq!(guess(bytes), expected, "{bytes:?}");
        }
        // Characters across the boundaries of chunks are whole.
        for shift in 0..4 {
            let text = "x".repeat(64 * 1024 - shift) + "千と千尋の神隠し";
            assert_eq!(guess(text.as_bytes()), None, "{shift}");
        }
        let long = ["x".repeat(64 * 1024 - 1).as_bytes(), b"\xe9"].concat();
        assert_eq!(guess(&long), Some("windows-1252"));
    }
}
