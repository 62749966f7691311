//! All SQL about the words of titles: which there are, and where they stand.

use super::{Conn, DbError, Driver, builder::Builder, changes::number};

/// A stretch of words in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    pub(super) from: String,
    pub(super) below: String,
}

impl Stretch {
    /// The words that begin so.
    #[must_use]
    pub fn beginning_with(beginning: &str) -> Self {
        Self { from: beginning.to_owned(), below: format!("{beginning}\u{10ffff}") }
    }

    /// One word alone: they have no blanks, and none of their letters comes before one.
    #[must_use]
    pub fn only(word: &str) -> Self {
        Self { from: word.to_owned(), below: format!("{word} ") }
    }
}

/// The distinct words behind a word, in the order of their bytes, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn behind(conn: &mut Conn, word: &str, limit: usize) -> Result<Vec<String>, DbError> {
    let sql = "SELECT DISTINCT word FROM movie_words WHERE word > $1 ORDER BY word LIMIT $2";
    conn.query(sql, &[word.into(), number(limit).into()], |row| row.get(0)).await
}

/// The distinct words of the movies that changes made what they are, in the order of their bytes.
///
/// # Errors
/// Those of the database.
pub async fn made_by(conn: &mut Conn, changes: &[i64]) -> Result<Vec<String>, DbError> {
    let mut sql = Builder::new(
        "SELECT DISTINCT word FROM movie_words WHERE movie_id IN (SELECT id FROM movies WHERE change_id IN (",
    );
    sql.list(changes.iter().map(|id| (*id).into()));
    sql.push(")) ORDER BY word");
    sql.query(conn, |row| row.get(0)).await
}

/// How often words of these stretches stand in titles, counted up to a limit.
///
/// # Errors
/// Those of the database.
pub async fn count(conn: &mut Conn, words: &[Stretch], limit: usize) -> Result<usize, DbError> {
    if words.is_empty() {
        return Ok(0);
    }
    let mut sql = Builder::new("SELECT count(*) FROM (");
    of_words(&mut sql, &conn.driver(), words);
    sql.push(" LIMIT ");
    sql.param(number(limit).into());
    sql.push(") AS counted");
    let count: i64 = sql.query(conn, |row| row.get(0)).await?[0];
    Ok(usize::try_from(count).unwrap_or(limit))
}

/// The ids of the movies with words of these stretches. Each of the databases has to be told to go from
/// stretch to stretch, and not to read all words and compare each with all stretches.
pub(super) fn of_words<'a>(sql: &mut Builder<'a>, driver: &Driver<'_>, words: &'a [Stretch]) {
    sql.push("SELECT movie_id FROM (VALUES ");
    for (n, stretch) in words.iter().enumerate() {
        sql.push(if n == 0 { "(" } else { ", (" });
        sql.list([stretch.from.as_str().into(), stretch.below.as_str().into()]);
        sql.push(")");
    }
    sql.push(match driver {
        Driver::Sqlite(_) => {
            ") AS near CROSS JOIN movie_words WHERE word >= near.column1 AND word < near.column2"
        }
        Driver::Postgres(_) => {
            ") AS near CROSS JOIN LATERAL (SELECT movie_id FROM movie_words \
             WHERE word >= near.column1 AND word < near.column2 OFFSET 0) AS found"
        }
    });
}
