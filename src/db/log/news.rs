//! New log entries with the movies that they modified.

use super::{LogEntry, LogPosition};
use crate::{
    db::{
        Conn, DbError, Dialect, Row,
        fragments::{id_of_place, place, settled_number, transaction},
        movie_columns::{attributes, count_nulls, no_attributes, read_from},
        value::number,
    },
    domain::{ChangeId, Movie, MovieId, Time},
};

/// New log entries, and the movies that they modified.
#[derive(Debug, Default)]
pub struct News {
    /// The changes from the last known one on.
    pub entries: Vec<LogEntry>,
    /// For each change, the modified movies in their current state, `None` if deleted. Changes above the
    /// requested size are left out.
    pub touched: Vec<(ChangeId, MovieId, Option<Movie>)>,
    /// Whether there are no further changes.
    pub is_whole: bool,
}

/// Limits of one read of the log.
#[derive(Debug, Clone, Copy)]
pub struct FollowLimits {
    pub changes: usize,
    /// Maximum number of movies of one change.
    pub movies: i64,
    /// Maximum number of movies of all changes.
    pub movies_in_all: usize,
}

/// Reads the changes from a position on, and the movies that they modified, in one statement and so one
/// snapshot.
pub async fn news(conn: &mut Conn, place: LogPosition, most: FollowLimits) -> Result<News, DbError> {
    const SQLITE: &str = concat!(
        "WITH tail AS MATERIALIZED (SELECT ",
        id_of_place!(),
        " AS place, c.id, c.at, c.movies FROM changes c WHERE 0 = $1 AND ",
        id_of_place!(),
        " >= $2 ORDER BY ",
        id_of_place!(),
        " LIMIT $3) SELECT 0, place, tail.id, at, movies, 1, CAST(NULL AS BIGINT), ",
        no_attributes!(),
        ", CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT) FROM tail \
        UNION ALL SELECT 0, place, tail.id, at, movies, 1, m.id, ",
        attributes!("m"),
        ", m.version, m.created_at, m.updated_at \
        FROM tail CROSS JOIN movie_rows m ON m.change_id = tail.id WHERE place > $2 AND movies <= $4 \
        UNION ALL SELECT 0, place, tail.id, at, movies, 1, v.movie_id, ",
        attributes!("m"),
        ", m.version, m.created_at, m.updated_at \
        FROM tail CROSS JOIN movie_versions v ON v.change_id = tail.id LEFT JOIN movie_rows m ON m.id = v.movie_id \
        WHERE place > $2 AND movies <= $4 LIMIT $5"
    );
    const POSTGRES: &str = concat!(
        "WITH tail AS MATERIALIZED (SELECT c.xact, ",
        transaction!(),
        " AS transaction, c.id, c.at, c.movies, ",
        settled_number!(),
        " AS settled, (c.xact, c.id) > ",
        place!(),
        " AS is_new FROM changes c WHERE (c.xact, c.id) >= ",
        place!(),
        " ORDER BY c.xact, c.id LIMIT $3) SELECT transaction, id, id, at, movies, settled, CAST(NULL AS BIGINT), ",
        no_attributes!(),
        ", CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT) FROM tail \
        UNION ALL SELECT transaction, tail.id, tail.id, at, movies, settled, m.id, ",
        attributes!("m"),
        ", m.version, m.created_at, m.updated_at \
        FROM tail CROSS JOIN LATERAL (SELECT * FROM movie_rows WHERE change_id = tail.id OFFSET 0) AS m \
        WHERE is_new AND movies <= CAST($4 AS BIGINT) \
        UNION ALL SELECT transaction, tail.id, tail.id, at, movies, settled, v.movie_id, ",
        attributes!("m"),
        ", m.version, m.created_at, m.updated_at \
        FROM tail CROSS JOIN LATERAL (SELECT movie_id FROM movie_versions WHERE change_id = tail.id OFFSET 0) AS v \
        LEFT JOIN LATERAL (SELECT * FROM movie_rows WHERE id = v.movie_id OFFSET 0) AS m ON TRUE \
        WHERE is_new AND movies <= CAST($4 AS BIGINT) LIMIT $5"
    );
    let sql = match conn.dialect() {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    };
    let most_rows = most.changes + most.movies_in_all;
    let params = [
        place.transaction.into(),
        place.id.into(),
        number(most.changes).into(),
        most.movies.into(),
        number(most_rows).into(),
    ];
    let rows = conn.query(sql, &params, read).await?;
    let mut news = News { is_whole: rows.len() < most_rows, ..News::default() };
    for (entry, touched) in rows {
        match touched {
            None => news.entries.push(entry),
            Some((movie, now)) => news.touched.push((entry.id, movie, now)),
        }
    }
    news.is_whole &= news.entries.len() < most.changes;
    Ok(news)
}

type Touched = (MovieId, Option<Movie>);

fn read(row: &Row<'_>) -> Result<(LogEntry, Option<Touched>), DbError> {
    let entry = LogEntry {
        place: LogPosition { transaction: row.get(0)?, id: row.get(1)? },
        id: row.get(2)?,
        at: Time::from_millis(row.get(3)?),
        movies: row.get(4)?,
        settled: row.get::<i64>(5)? == 1,
    };
    let Some(id) = row.get::<Option<MovieId>>(6)? else { return Ok((entry, None)) };
    let is_there = count_nulls(row, 7)? == 0;
    let movie = if is_there { Some(read_from(row, 6)?) } else { None };
    Ok((entry, Some((id, movie))))
}
