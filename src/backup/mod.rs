//! The backup file format. It is the same for both databases and readable with `zstdcat` and `jq`.
//!
//! It is a zstd frame (RFC 8878) of JSON lines: a [`Header`], one [`Entry`] for each row, and a last line
//! with the number of rows. Rows are sorted by table and id. A skippable zstd frame follows with the SHA-256
//! of all bytes before it, which detects any damage.

mod bounds;
mod read;
mod write;

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{ChangeId, ChangeKind, Movie, MovieId, Role, Time, TokenId, TokenName, UserId, UserName};

pub use read::{Reader, Unusable};
pub use write::Writer;

/// The format version that this program writes, and the newest that it reads.
pub const FORMAT: u64 = 2;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The format version.
    pub reelshelf_backup: u64,
    pub created_at: Time,
    /// The version of the program that wrote the file.
    pub program: String,
    pub last_ids: LastIds,
}

/// The highest id that each table has handed out, or 0. Ids of deleted rows are included, so they are never
/// reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastIds {
    pub movies: MovieId,
    pub changes: ChangeId,
    pub users: UserId,
    pub tokens: TokenId,
}

/// The number of rows of each table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub users: u64,
    pub tokens: u64,
    pub changes: u64,
    pub movies: u64,
    pub movie_versions: u64,
}

impl Counts {
    fn add(&mut self, noun: Noun) {
        *match noun {
            Noun::User => &mut self.users,
            Noun::Token => &mut self.tokens,
            Noun::Change => &mut self.changes,
            Noun::Movie => &mut self.movies,
            Noun::MovieVersion => &mut self.movie_versions,
        } += 1;
    }
}

/// The kind of a row. The order in the file follows from the references: referenced rows come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    User,
    Token,
    Change,
    Movie,
    MovieVersion,
}

impl Noun {
    /// All kinds, in file order.
    pub const ALL: [Self; 5] = [Self::User, Self::Token, Self::Change, Self::Movie, Self::MovieVersion];
}

/// A row.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    User(User),
    Token(Token),
    Change(Change),
    /// A current movie.
    Movie(Made),
    /// An earlier version of a movie.
    MovieVersion(Made),
    /// The deletion of a movie, which is also a version.
    Deletion(Deletion),
}

impl Entry {
    /// Returns the kind of the row.
    #[must_use]
    pub const fn noun(&self) -> Noun {
        match self {
            Self::User(_) => Noun::User,
            Self::Token(_) => Noun::Token,
            Self::Change(_) => Noun::Change,
            Self::Movie(_) => Noun::Movie,
            Self::MovieVersion(_) | Self::Deletion(_) => Noun::MovieVersion,
        }
    }

    /// Returns the sort key within the kind: the id, or for versions the movie id and the version.
    #[must_use]
    pub const fn place(&self) -> (i64, i64) {
        match self {
            Self::User(user) => (user.id.get(), 0),
            Self::Token(token) => (token.id.get(), 0),
            Self::Change(change) => (change.id.get(), 0),
            Self::Movie(made) => (made.movie.id.get(), 0),
            Self::MovieVersion(made) => (made.movie.id.get(), made.movie.version),
            Self::Deletion(deletion) => (deletion.movie_id.get(), deletion.version),
        }
    }
}

/// A user.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    pub id: UserId,
    pub name: UserName,
    pub role: Role,
    /// Argon2id in the PHC string format.
    pub password_hash: String,
    pub created_at: Time,
}

/// An API token.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    pub id: TokenId,
    pub user_id: UserId,
    pub name: TokenName,
    pub role: Role,
    /// SHA-256 in base64url.
    pub secret_hash: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    /// Whether the token was created with a lesser role than its user's. Format 1 lacks it and compares the
    /// roles.
    #[serde(default)]
    pub narrowed: bool,
}

/// A change of the collection. Its effects are derived from the movies and their versions.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    pub id: ChangeId,
    pub at: Time,
    pub by: String,
    pub via: String,
    pub kind: ChangeKind,
    /// The number of movies that it modified.
    pub movies: i64,
    pub undoes: Option<ChangeId>,
}

/// A version of a movie, and the change that created it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub change: ChangeId,
    pub movie: Movie,
}

/// A deletion as a version of a movie, and the change that deleted it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deletion {
    pub change: ChangeId,
    pub movie_id: MovieId,
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

/// The beginning of the last line; no other line begins like this.
const END: &[u8] = br#"{"end":"#;

/// The last line.
#[derive(Serialize, Deserialize)]
struct Last {
    end: Counts,
}

/// The header of the checksum frame: a skippable frame (RFC 8878, 3.1.2) of 32 bytes.
const SEAL_HEAD: [u8; 8] = [0x50, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
/// The size of the checksum frame, in bytes.
const SEAL: u64 = 8 + 32;

/// A reader or writer that hashes all bytes that pass through.
struct Hashing<T> {
    inner: T,
    digest: Sha256,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    /// Returns the frame with the checksum of all bytes so far.
    fn seal(&self) -> Vec<u8> {
        [&SEAL_HEAD[..], &self.digest.clone().finalize()].concat()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Attributes;

    fn entries() -> Vec<Entry> {
        let time = Time::from_millis(1_795_464_900_123);
        let (change, user) = (ChangeId::from_stored(1), UserId::from_stored(2));
        let movie = |id, version| {
            let attributes = Attributes {
                title: crate::domain::Title::parse("Amélie").unwrap(),
                movie_format: crate::domain::MovieFormat::Dvd,
                length: 122.try_into().unwrap(),
                release_year: 2001.try_into().unwrap(),
                rating: 5.try_into().unwrap(),
            };
            let id = MovieId::from_stored(id);
            Made { change, movie: Movie { id, attributes, version, created_at: time, updated_at: time } }
        };
        let (by, via, kind) = ("olivia".to_owned(), "password".to_owned(), ChangeKind::Batch);
        vec![
            Entry::User(User {
                id: user,
                name: UserName::parse("olivia").unwrap(),
                role: Role::Owner,
                password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$Q0N7VhgI6HFOtvUUBEHhMA".to_owned(),
                created_at: time,
            }),
            Entry::Token(Token {
                id: TokenId::from_stored(1),
                user_id: user,
                name: TokenName::parse("laptop").unwrap(),
                role: Role::Viewer,
                secret_hash: "hash".to_owned(),
                created_at: time,
                expires_at: Some(time),
                narrowed: true,
            }),
            Entry::Change(Change { id: change, at: time, by, via, kind, movies: 2, undoes: None }),
            Entry::Movie(movie(3, 2)),
            Entry::MovieVersion(movie(3, 1)),
            Entry::Deletion(Deletion {
                change,
                movie_id: MovieId::from_stored(4),
                version: 2,
                created_at: time,
                updated_at: time,
            }),
        ]
    }

    fn file(entries: &[Entry]) -> Vec<u8> {
        file_in(FORMAT, entries)
    }

    fn file_in(format: u64, entries: &[Entry]) -> Vec<u8> {
        let header = Header {
            reelshelf_backup: format,
            created_at: Time::from_millis(0),
            program: "0.1.0".to_owned(),
            last_ids: LastIds {
                movies: MovieId::from_stored(4),
                changes: ChangeId::from_stored(1),
                users: UserId::from_stored(2),
                tokens: TokenId::from_stored(1),
            },
        };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        for entry in entries {
            writer.write(entry).unwrap();
        }
        writer.finish().unwrap().0
    }

    fn read(file: &[u8]) -> Result<Vec<String>, Unusable> {
        let text = |entry: Entry| serde_json::to_string(&entry).expect("JSON");
        Reader::open(io::Cursor::new(file))?.map(|entry| entry.map(text)).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let all = read(&file(&entries())).unwrap();
        let expected: Vec<_> = entries().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        assert_eq!(all, expected);
        assert_eq!(read(&file(&[])).unwrap(), [""; 0]);
    }

    #[test]
    fn format_1_tells_by_the_roles_which_tokens_were_narrowed() {
        let narrowed = |format, role| {
            let mut entries = entries();
            let Entry::Token(token) = &mut entries[1] else { panic!("a token") };
            (token.role, token.narrowed) = (role, false);
            let tokens = Reader::open(io::Cursor::new(file_in(format, &entries))).unwrap();
            tokens.map(Result::unwrap).any(|entry| matches!(entry, Entry::Token(token) if token.narrowed))
        };
        assert!(narrowed(1, Role::Viewer) && narrowed(1, Role::Editor), "the user is an owner");
        assert!(!narrowed(1, Role::Owner) && !narrowed(2, Role::Viewer));
    }

    #[test]
    fn whatever_bit_is_changed_it_is_refused() {
        let whole = file(&entries());
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                assert!(read(&damaged).is_err(), "{place}, {bit}");
            }
        }
    }

    #[test]
    fn what_was_cut_off_or_goes_on_is_refused() {
        let whole = file(&entries());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        assert!(read(&[&whole[..], b"x"].concat()).is_err());
        assert!(read(&[&whole[..], &whole].concat()).is_err());
    }

    #[test]
    fn rows_come_in_their_order_alone() {
        for n in 1..entries().len() {
            let mut swapped = entries();
            swapped.swap(n - 1, n);
            assert!(read(&file(&swapped)).is_err(), "{n}");
            let mut twice = entries();
            twice.insert(n, entries().swap_remove(n - 1));
            assert!(read(&file(&twice)).is_err(), "{n}");
        }
    }
}
