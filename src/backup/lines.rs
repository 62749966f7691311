//! The lines of a backup.

use serde::{Deserialize, Serialize};

use crate::domain::{ChangeId, ChangeKind, Movie, MovieId, Role, Time, TokenId, TokenName, UserId, UserName};

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
    pub(super) fn add(&mut self, noun: Noun) {
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
pub(super) const END: &[u8] = br#"{"end":"#;

/// The last line.
#[derive(Serialize, Deserialize)]
pub(super) struct Last {
    pub(super) end: Counts,
}
