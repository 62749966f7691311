//! The history.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{Id, KindName, Moment};
use crate::domain::{ChangeId, ChangeKind, Movie, MovieId, Time};

/// One thing that somebody did and that was committed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    #[schema(value_type = Id)]
    pub id: ChangeId,
    #[schema(value_type = Moment)]
    pub at: Time,
    /// The user's name.
    #[schema(example = "olivia")]
    pub by: String,
    /// How the user was signed in: `password`, `session`, `console`, or `token` and its name.
    #[schema(example = "token laptop")]
    pub via: String,
    #[schema(value_type = KindName)]
    pub kind: ChangeKind,
    /// How many movies it touched.
    #[schema(value_type = u64)]
    pub movies: i64,
    /// One for each movie that it touched; in lists the first 10.
    pub effects: Vec<Effect>,
    /// The change that it takes back.
    #[schema(required = true, value_type = Option<i64>)]
    pub undoes: Option<ChangeId>,
    /// The change that took it back.
    #[schema(required = true, value_type = Option<i64>)]
    pub undone_by: Option<ChangeId>,
}

impl Change {
    /// How many effects a change has where it stands among others.
    pub const EFFECTS_IN_LISTS: usize = 10;
}

/// What a change did to one movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    #[schema(value_type = Id)]
    pub movie_id: MovieId,
    /// Null where the movie came into being.
    #[schema(required = true)]
    pub before: Option<Movie>,
    /// Null where the movie went.
    #[schema(required = true)]
    pub after: Option<Movie>,
}
