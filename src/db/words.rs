//! All SQL about the words of titles: which there are, and the films that have some of them.

use super::{
    Conn, DbError,
    changes::number,
    movies::{self, Builder, COLUMNS},
};
use crate::domain::{Filter, Movie};

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

/// How often words stand in titles that begin with one of these beginnings, counted up to a limit.
///
/// # Errors
/// Those of the database.
pub async fn count(conn: &mut Conn, beginnings: &[String], limit: usize) -> Result<usize, DbError> {
    if beginnings.is_empty() {
        return Ok(0);
    }
    let mut sql = Builder::new("SELECT count(*) FROM (");
    of_words(&mut sql, beginnings);
    sql.push(" LIMIT ");
    sql.param(number(limit).into());
    sql.push(") AS counted");
    let count: i64 = sql.query(conn, |row| row.get(0)).await?[0];
    Ok(usize::try_from(count).unwrap_or(limit))
}

/// The movies that pass the filter and have, for each of these sets of beginnings, a word in their titles
/// that begins so, in the order of their titles, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn films(
    conn: &mut Conn,
    filter: &Filter,
    words: &[Vec<String>],
    limit: usize,
) -> Result<Vec<Movie>, DbError> {
    let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movies"));
    for beginnings in words {
        sql.condition();
        sql.push("id IN (");
        of_words(&mut sql, beginnings);
        sql.push(")");
    }
    sql.filter(filter);
    sql.push(" ORDER BY title_sort, id LIMIT ");
    sql.param(number(limit).into());
    sql.query(conn, movies::read).await
}

/// The ids of the movies with words that begin so. `CROSS JOIN` keeps SQLite from reading all words and
/// comparing each with all beginnings.
fn of_words<'a>(sql: &mut Builder<'a>, beginnings: &'a [String]) {
    sql.push("SELECT movie_id FROM (VALUES ");
    for (n, beginning) in beginnings.iter().enumerate() {
        sql.push(if n == 0 { "(" } else { ", (" });
        sql.list([beginning.as_str().into(), format!("{beginning}\u{10ffff}").into()]);
        sql.push(")");
    }
    sql.push(") AS near CROSS JOIN movie_words WHERE word >= near.column1 AND word < near.column2");
}
