//! The log of changes as a catalogue follows it: what is new in it, and the movies as that left them.
//!
//! A statement of PostgreSQL sees the changes that were committed before it began, in whatever order they got their
//! places. So a catalogue notes the last change before which none can come any more, and those behind it that it
//! has applied already.

use std::sync::Arc;

use super::{
    Conn, DbError, Dialect, Row, Value,
    changes::{LogPosition, Logged, number},
    fragments::{id_of_place, place, settled_number, transaction},
    movie_columns::{attributes, count_nulls, no_attributes, read_from},
};
use crate::domain::{ChangeId, Movie, MovieId, Time};

/// [`MAX_TAIL`], for texts of SQL.
macro_rules! max_tail {
    () => {
        64
    };
}

/// Entries that a look at the log from the last known one on shows, at most. More are read when they are followed.
pub const MAX_TAIL: usize = max_tail!();

/// The SQL of a look at the log: a column, for the list of a fixed query whose other parameters begin with `$3`. It
/// shows one entry more, to tell that there are more.
macro_rules! tail_column {
    (sqlite) => {
        concat!(
            "(SELECT group_concat('0 ' || place || ' ' || id || ' ' || at) FROM (SELECT ",
            $crate::db::fragments::id_of_place!(),
            " AS place, c.id, c.at FROM changes c WHERE 0 = $1 AND ",
            $crate::db::fragments::id_of_place!(),
            " >= $2 ORDER BY ",
            $crate::db::fragments::id_of_place!(),
            " LIMIT ",
            $crate::db::log::max_tail!(),
            " + 1))"
        )
    };
    (postgres) => {
        concat!(
            "(SELECT string_agg(concat_ws(' ', xact, id, id, at), ',') FROM (\
             SELECT c.xact, c.id, c.at FROM changes c WHERE (c.xact, c.id) >= ",
            $crate::db::fragments::place!(),
            " ORDER BY c.xact, c.id LIMIT ",
            $crate::db::log::max_tail!(),
            " + 1) AS tail)"
        )
    };
}

/// A fixed query for both databases with a look at the log as its last column.
macro_rules! with_tail {
    ($columns:literal, $from:literal) => {
        $crate::db::log::WithTail {
            sqlite: concat!("SELECT ", $columns, ", ", $crate::db::log::tail_column!(sqlite), " ", $from),
            postgres: concat!("SELECT ", $columns, ", ", $crate::db::log::tail_column!(postgres), " ", $from),
        }
    };
}

pub(super) use {max_tail, tail_column, with_tail};

/// A query with a look at the log, for each database.
pub(super) struct WithTail {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl WithTail {
    /// Runs the query, of which one row is wanted: `read` reads it, `column` is where the look at the log is.
    pub(super) async fn query_opt<T>(
        &self,
        conn: &mut Conn,
        last: Option<Logged>,
        params: &[Value<'_>],
        column: usize,
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Option<(T, Arc<Tail>)>, DbError> {
        let sql = match conn.dialect() {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        };
        let place = last.map(|last| last.place).unwrap_or_default();
        let params = [&[place.transaction.into(), place.id.into()], params].concat();
        conn.query_opt(sql, &params, |row| {
            let tail = Tail::read(last, row.get::<Option<String>>(column)?.as_deref())?;
            Ok((read(row)?, Arc::new(tail)))
        })
        .await
    }
}

/// What a look at the log showed from the last known change on.
#[derive(Debug, Clone)]
pub struct Tail {
    last: Option<Logged>,
    entries: Vec<(LogPosition, ChangeId, Time)>,
}

impl Tail {
    fn read(last: Option<Logged>, text: Option<&str>) -> Result<Self, DbError> {
        let entry = |text: &str| {
            let mut numbers = text.split(' ').map(|number| number.parse::<i64>().ok());
            let mut number = || numbers.next().flatten();
            let place = LogPosition { transaction: number()?, id: number()? };
            Some((place, ChangeId::from_stored(number()?), Time::from_millis(number()?)))
        };
        let entries = text.map(|text| text.split(',').map(entry).collect());
        match entries.unwrap_or_else(|| Some(Vec::new())) {
            Some(entries) => Ok(Self { last, entries }),
            None => Err(DbError::Unavailable("the log of changes cannot be read".to_owned())),
        }
    }

    /// Whether it began at that change.
    #[must_use]
    pub fn is_from(&self, last: Option<Logged>) -> bool {
        self.last == last
    }

    /// How many changes it showed.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it showed none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the last known change is still there.
    #[must_use]
    pub fn shows_last(&self) -> bool {
        self.last.is_some_and(|last| self.entries.contains(&(last.place, last.id, last.at)))
    }

    /// Whether it showed all there is, and that is known.
    #[must_use]
    pub fn shows_only(&self, is_known: impl Fn(LogPosition, ChangeId) -> bool) -> bool {
        self.entries.len() <= MAX_TAIL && self.entries.iter().all(|(place, id, _)| is_known(*place, *id))
    }
}

/// What came into the log, and what became of the movies.
#[derive(Debug, Default)]
pub struct News {
    /// The changes from the last known one on.
    pub entries: Vec<Logged>,
    /// By change, the movies that it touched as they are now, or that they are gone. Those of larger changes than
    /// asked for are not among them.
    pub touched: Vec<(ChangeId, MovieId, Option<Movie>)>,
    /// Whether this is all.
    pub is_whole: bool,
}

/// How much is read at once of what is new.
#[derive(Debug, Clone, Copy)]
pub struct FollowLimits {
    pub changes: usize,
    /// Of one change.
    pub movies: i64,
    /// Of all changes.
    pub movies_in_all: usize,
}

/// The changes from a place on, with the movies that those behind it touched: all as one statement sees it.
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

fn read(row: &Row<'_>) -> Result<(Logged, Option<Touched>), DbError> {
    let entry = Logged {
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
