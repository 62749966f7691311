//! Reads a backup line by line, with all checks that need no database.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take},
};

use serde::{Deserialize, de::DeserializeOwned};
use zstd::Decoder;

use crate::domain::{Role, UserId};

use super::{
    Counts, Entry, FORMAT, Header, Noun, bounds,
    lines::{END, Last},
    seal::{Hashing, SEAL},
};

/// The maximum line length in bytes; every valid row is much shorter.
const LONGEST_LINE: u64 = 64 * 1024;
/// The magic number of zstd (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Not a Reelshelf backup.
    #[error("it is no backup of a collection")]
    Foreign,
    /// A newer format than this program knows.
    #[error("it was written by a newer version of this program (in format {0}); use that version")]
    Newer(u64),
    /// The file is damaged.
    #[error("it is damaged or was cut off: line {line}: {reason}")]
    Damaged { line: u64, reason: String },
    /// The file is intact, but its rows contradict each other.
    #[error("it contradicts itself: {0}")]
    Contradictory(String),
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads the rows of a file in order. The file is known to be complete and undamaged only after the last row
/// was read without an error.
pub struct Reader<R: Read + Seek> {
    lines: Lines<R>,
    header: Header,
    counts: Counts,
    /// The kind and sort key of the previous row.
    last: (Noun, i64, i64),
    users: HashMap<UserId, Role>,
    ended: bool,
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Unusable::Foreign`] if it is not a backup; [`Unusable::Newer`] if its format is newer.
    pub fn open(file: R) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Format {
            reelshelf_backup: u64,
        }

        let mut lines = Lines::open(file)?;
        lines.read()?;
        match serde_json::from_slice(&lines.line) {
            Ok(Format { reelshelf_backup: 1..=FORMAT }) => {}
            Ok(Format { reelshelf_backup: newer }) if newer > FORMAT => return Err(Unusable::Newer(newer)),
            _ => return Err(Unusable::Foreign),
        }
        let header = lines.parse()?;
        bounds::check_header(&header).map_err(|reason| lines.damaged(reason))?;
        let (counts, last) = (Counts::default(), (Noun::User, 0, 0));
        Ok(Self { lines, header, counts, last, users: HashMap::new(), ended: false })
    }

    /// Returns the header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the number of rows read so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn read(&mut self) -> Result<Option<Entry>, Unusable> {
        self.lines.read()?;
        if self.lines.line.starts_with(END) {
            self.check_end()?;
            return Ok(None);
        }
        let mut entry = self.lines.parse()?;
        self.check(&entry).map_err(|reason| self.lines.damaged(reason))?;
        self.counts.add(entry.noun());
        if let Entry::Token(token) = &mut entry
            && self.header.reelshelf_backup == 1
        {
            token.narrowed = self.users.get(&token.user_id).is_some_and(|role| token.role < *role);
        }
        Ok(Some(entry))
    }

    /// Checks that a row follows the previous ones in order.
    fn check(&mut self, entry: &Entry) -> Result<(), String> {
        let noun = entry.noun();
        let (id, version) = entry.place();
        if id < 1 || (noun, id, version) <= self.last {
            return Err(format!("the row with id {id} is out of order"));
        }
        self.last = (noun, id, version);
        let ids = self.header.last_ids;
        let most = match noun {
            Noun::User => ids.users.get(),
            Noun::Token => ids.tokens.get(),
            Noun::Change => ids.changes.get(),
            Noun::Movie | Noun::MovieVersion => ids.movies.get(),
        };
        if id > most {
            return Err(format!("id {id} is higher than the last one that was handed out, {most}"));
        }
        bounds::check(entry, ids)?;
        match entry {
            Entry::User(user) => {
                self.users.insert(user.id, user.role);
            }
            Entry::Token(token) if !self.users.contains_key(&token.user_id) => {
                return Err(format!("there is no user with id {}", token.user_id));
            }
            _ => {}
        }
        Ok(())
    }

    fn check_end(&mut self) -> Result<(), Unusable> {
        let Last { end } = self.lines.parse()?;
        if end != self.counts {
            return Err(self.lines.damaged("there are not as many rows as it says"));
        }
        self.lines.finish()
    }
}

impl<R: Read + Seek> Iterator for Reader<R> {
    type Item = Result<Entry, Unusable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// The lines of a file, with the current line number.
struct Lines<R: Read> {
    file: BufReader<Decoder<'static, BufReader<Hashing<Take<R>>>>>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read + Seek> Lines<R> {
    fn open(mut file: R) -> Result<Self, Unusable> {
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let mut file = BufReader::new(Hashing::new(file.take(length.saturating_sub(SEAL))));
        if !file.fill_buf()?.starts_with(&MAGIC) {
            return Err(Unusable::Foreign);
        }
        Ok(Self { file: BufReader::new(Decoder::with_buffer(file)?), line: Vec::new(), number: 0 })
    }

    fn read(&mut self) -> Result<(), Unusable> {
        self.number += 1;
        self.line.clear();
        let read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut self.line);
        read.map_err(|error| self.damaged(error.to_string()))?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            Some(_) if self.line.len() as u64 == LONGEST_LINE => Err(self.damaged("it is too long")),
            _ => Err(self.damaged("the file ends before it is complete")),
        }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, Unusable> {
        serde_json::from_slice(&self.line).map_err(|error| self.damaged(error.to_string()))
    }

    /// Checks that only the checksum of all bytes read follows.
    fn finish(&mut self) -> Result<(), Unusable> {
        match self.file.fill_buf().map(<[u8]>::is_empty) {
            Ok(true) => {}
            Ok(false) => return Err(self.damaged("the file continues after its end")),
            Err(error) => return Err(self.damaged(error.to_string())),
        }
        let file = self.file.get_mut().get_mut().get_mut();
        let mut seal = Vec::new();
        file.inner.set_limit(SEAL);
        file.inner.read_to_end(&mut seal)?;
        if seal != file.seal() {
            return Err(self.damaged("the checksum after it is that of another content"));
        }
        Ok(())
    }

    fn damaged(&self, reason: impl Into<String>) -> Unusable {
        Unusable::Damaged { line: self.number, reason: reason.into() }
    }
}
