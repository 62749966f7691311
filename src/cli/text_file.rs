//! Text files from editors and shells: with byte order marks, and on Windows in UTF-16.

use std::{
    fs,
    io::{self, BufRead},
    path::Path,
};

use anyhow::{Context, bail};

use crate::domain::BYTE_ORDER_MARK;

/// Reads a text file.
///
/// # Errors
/// If it cannot be read, or is neither UTF-8 nor UTF-16.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    decode(&bytes).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads the first line of a text file.
///
/// # Errors
/// As [`read`]; if there are further lines that are not empty.
pub fn read_line_of(path: &Path) -> anyhow::Result<String> {
    let text = read(path)?;
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim_end_matches('\r').to_owned();
    if lines.any(|line| !line.trim().is_empty()) {
        bail!("{} must have one line, and has more", path.display());
    }
    Ok(first)
}

/// Reads the next line, without its line end.
///
/// # Errors
/// If it cannot be read, or is neither UTF-8 nor UTF-16.
pub fn next_line(mut input: impl BufRead) -> anyhow::Result<String> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
        input.read_to_end(&mut line)?; // a UTF-16 line end has two bytes
    }
    let text = decode(&line)?;
    Ok(text.lines().next().unwrap_or_default().trim_end_matches('\r').to_owned())
}

fn decode(bytes: &[u8]) -> io::Result<String> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        text => {
            let text = text.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(text);
            str::from_utf8(text).ok().map(str::to_owned)
        }
    };
    text.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8 or UTF-16"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_line_is_the_same_in_every_form() {
        for bytes in [
            "größe 7".as_bytes().to_vec(),
            "größe 7\n".into(),
            "größe 7\r\n".into(),
            "\u{feff}größe 7\r\nmore".into(),
            utf16("\u{feff}größe 7\r\n", u16::to_le_bytes),
            utf16("\u{feff}größe 7\n", u16::to_be_bytes),
        ] {
            assert_eq!(next_line(bytes.as_slice()).unwrap(), "größe 7", "{bytes:?}");
        }
        assert_eq!(next_line(&b""[..]).unwrap(), "");
        for broken in [&b"\xff"[..], b"\xff\xfea", b"\xff\xfe\x3d\xd8"] {
            assert!(next_line(broken).is_err(), "{broken:?}");
        }
    }
}
