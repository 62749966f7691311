//! The log of changes, as those follow it who keep in memory what they have read of the collection.

use crate::db::{
    Conn, DbError,
    changes::{self, Logged},
};

/// Beyond so many changes, or movies that they touched, everything is sooner read anew.
const MOST_CHANGES: usize = 1000;
const MOST_MOVIES: i64 = 5000;

/// The last change before which none can come any more; none where the log is empty.
pub(super) async fn last(conn: &mut Conn) -> Result<Option<Logged>, DbError> {
    let end = changes::end(conn).await?;
    Ok(changes::from(conn, end, 1).await?.into_iter().find(|change| change.settled))
}

/// The changes behind the last one that was read, also those that may still get others before them. None
/// where that cannot be known or is too much: the log was shortened, the collection replaced.
pub(super) async fn since(conn: &mut Conn, last: Option<Logged>) -> Result<Option<Vec<Logged>>, DbError> {
    let place = last.map(|last| last.place).unwrap_or_default();
    let mut log = changes::from(conn, place, MOST_CHANGES + 1).await?;
    let is_there = log.first().copied() == last;
    let new = log.split_off(log.len().min(1));
    let few = new.len() < MOST_CHANGES && new.iter().map(|change| change.movies).sum::<i64>() <= MOST_MOVIES;
    Ok((is_there && few).then_some(new))
}
