//! Changes of the history.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    schema::{Id, KindName, Moment},
    word::Word,
};
use crate::domain::{ChangeId, ChangeKind, Movie, MovieId, Time};

/// One committed change of the collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    #[schema(value_type = Id)]
    pub id: ChangeId,
    #[schema(value_type = Moment)]
    pub at: Time,
    /// The name of the user.
    #[schema(example = "olivia")]
    pub by: String,
    /// How the user was signed in: `password`, `session`, `console`, or `token` and its name.
    #[schema(example = "token laptop")]
    pub via: String,
    #[schema(value_type = KindName)]
    pub kind: Word<ChangeKind>,
    /// The number of movies that it modified.
    #[schema(value_type = u64)]
    pub movies: i64,
    /// One for each modified movie; in lists the first 10.
    pub effects: Vec<Effect>,
    /// The change that it undoes.
    #[schema(required = true, value_type = Option<i64>)]
    pub undoes: Option<ChangeId>,
    /// The change that undid it.
    #[schema(required = true, value_type = Option<i64>)]
    pub undone_by: Option<ChangeId>,
}

impl Change {
    /// The maximum number of effects of each change in a list.
    pub const EFFECTS_IN_LISTS: usize = 10;
}

/// The effect of a change on one movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    #[schema(value_type = Id)]
    pub movie_id: MovieId,
    /// Null if the change created the movie.
    #[schema(required = true)]
    pub before: Option<Movie>,
    /// Null if the change deleted the movie.
    #[schema(required = true)]
    pub after: Option<Movie>,
}
