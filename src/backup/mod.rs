//! The file of a backup: the same for both databases, and to be read by anybody with `zstdcat` and `jq`.
//!
//! It is zstd (RFC 8878) around lines of JSON: a [`Header`]; one [`Entry`] for each row, noun by noun
//! and by id; and an end with how many of each there are and the SHA-256 of all lines before it.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::domain::{ChangeKind, Movie, Role, Time, TokenName, UserName};

pub use read::{Reader, Unusable};
pub use write::Writer;

/// The version of the format that this program writes. It reads no newer one.
pub const FORMAT: u64 = 1;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The version of the format.
    pub reelshelf_backup: u64,
    pub created_at: Time,
    /// The version of the program that wrote it.
    pub program: String,
    pub last_ids: LastIds,
}

/// The last id of each noun that was handed out, 0 where none was. Also those of rows that are gone
/// are never used again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastIds {
    pub movies: i64,
    pub changes: i64,
    pub users: i64,
    pub tokens: i64,
}

/// How many rows of each noun there are.
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

/// What a row is one of, in the order in which they stand in the file: what others refer to comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    User,
    Token,
    Change,
    Movie,
    MovieVersion,
}

impl Noun {
    /// Every noun, in order.
    pub const ALL: [Self; 5] = [Self::User, Self::Token, Self::Change, Self::Movie, Self::MovieVersion];
}

/// A row.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    User(User),
    Token(Token),
    Change(Change),
    /// A movie of the collection.
    Movie(Made),
    /// What a movie was before it became what it is.
    MovieVersion(Made),
    /// That a movie was deleted, which is one of its versions, too.
    Deletion(Deletion),
}

impl Entry {
    /// What it is one of.
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

    /// Where it stands among those of its noun: by id, and of one movie's versions by version.
    #[must_use]
    pub const fn place(&self) -> (i64, i64) {
        match self {
            Self::User(user) => (user.id, 0),
            Self::Token(token) => (token.id, 0),
            Self::Change(change) => (change.id, 0),
            Self::Movie(made) => (made.movie.id, 0),
            Self::MovieVersion(made) => (made.movie.id, made.movie.version),
            Self::Deletion(deletion) => (deletion.movie_id, deletion.version),
        }
    }
}

/// A user.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    pub id: i64,
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
    pub id: i64,
    pub user_id: i64,
    pub name: TokenName,
    pub role: Role,
    /// SHA-256 in base64url.
    pub secret_hash: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
}

/// A change of the collection. Its effects follow from the movies and their versions.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    pub id: i64,
    pub at: Time,
    pub by: String,
    pub via: String,
    pub kind: ChangeKind,
    /// How many movies it touched.
    pub movies: i64,
    pub undoes: Option<i64>,
}

/// A version of a movie, and the change that made it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub change: i64,
    pub movie: Movie,
}

/// A version of a movie that is its deletion, and the change that deleted it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deletion {
    pub change: i64,
    pub movie_id: i64,
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

/// How the last line begins, and no other.
const END: &[u8] = br#"{"end":"#;

/// The last line.
#[derive(Serialize, Deserialize)]
struct Last {
    end: End,
}

#[derive(Serialize, Deserialize)]
struct End {
    #[serde(flatten)]
    counts: Counts,
    /// Of all lines before this one with their line ends, in hexadecimal.
    sha256: String,
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
