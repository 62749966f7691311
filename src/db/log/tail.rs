//! The tail of the log from the last known change on, read as a column of another query.

use std::{collections::HashMap, sync::Arc};

use super::{LogEntry, LogPosition};
use crate::{
    db::{Conn, DbError, Dialect, Row},
    domain::{ChangeId, Time},
};

/// [`MAX_TAIL`] as a literal for SQL.
macro_rules! max_tail {
    () => {
        64
    };
}

/// The maximum number of entries in a [`Tail`]. If there are more, `news` reads them.
pub const MAX_TAIL: usize = max_tail!();

/// An SQL column with the log from the last known change on. For constant queries whose other parameters
/// begin at `$3`. It returns one entry more than the maximum, to tell that there are more.
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

/// A constant query that finds rows by a text column, the key, for each database; on PostgreSQL also by many keys,
/// separated by commas. PostgreSQL plans the latter each time. After its columns come the key and [`tail_column`].
macro_rules! with_tail {
    ([$($column:literal),*], $from:literal, $key:literal) => {
        $crate::db::log::WithTail {
            columns: [$($column),*].len(),
            sqlite: $crate::db::log::with_tail!(sqlite, [$($column),*], $from, $key, " = $3"),
            postgres: $crate::db::log::with_tail!(postgres, [$($column),*], $from, $key, " = $3"),
            postgres_many: $crate::db::log::with_tail!(
                postgres,
                [$($column),*],
                $from,
                $key,
                " = ANY (string_to_array($3, ','))"
            ),
        }
    };
    ($database:tt, [$($column:literal),*], $from:literal, $key:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $($column, ", ",)*
            $key,
            ", ",
            $crate::db::log::tail_column!($database),
            " ",
            $from,
            " WHERE ",
            $key,
            $condition
        )
    };
}

pub(in crate::db) use {max_tail, tail_column, with_tail};

/// A query that also returns the tail of the log, for each database.
pub struct WithTail {
    /// The number of columns before the key.
    pub(in crate::db) columns: usize,
    pub(in crate::db) sqlite: &'static str,
    pub(in crate::db) postgres: &'static str,
    pub(in crate::db) postgres_many: &'static str,
}

impl WithTail {
    /// Runs the query for these keys (on SQLite: one) and returns the rows by key. `read` reads the columns
    /// before the key.
    pub(in crate::db) async fn query<T>(
        &self,
        conn: &mut Conn,
        last: Option<LogEntry>,
        keys: &[String],
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<HashMap<String, (T, Arc<Tail>)>, DbError> {
        let sql = match conn.dialect() {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres if keys.len() == 1 => self.postgres,
            Dialect::Postgres => self.postgres_many,
        };
        let place = last.map(|last| last.place).unwrap_or_default();
        let params = [place.transaction.into(), place.id.into(), keys.join(",").into()];
        let rows = conn.query(sql, &params, |row| {
            let tail = Tail::read(last, row.get::<Option<String>>(self.columns + 1)?.as_deref())?;
            Ok((row.get(self.columns)?, (read(row)?, Arc::new(tail))))
        });
        Ok(rows.await?.into_iter().collect())
    }
}

/// The log from the last known change on, as read by a query.
#[derive(Debug, Clone)]
pub struct Tail {
    last: Option<LogEntry>,
    entries: Vec<(LogPosition, ChangeId, Time)>,
}

impl Tail {
    fn read(last: Option<LogEntry>, text: Option<&str>) -> Result<Self, DbError> {
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

    /// Returns whether the tail starts at this change.
    #[must_use]
    pub fn is_from(&self, last: Option<LogEntry>) -> bool {
        self.last == last
    }

    /// Returns the number of changes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns whether the last known change still exists.
    #[must_use]
    pub fn shows_last(&self) -> bool {
        self.last.is_some_and(|last| self.entries.contains(&(last.place, last.id, last.at)))
    }

    /// Returns whether the tail has a change.
    #[must_use]
    pub fn shows(&self, change: ChangeId) -> bool {
        self.entries.iter().any(|(_, id, _)| *id == change)
    }

    /// Returns whether the tail is complete and all its changes are known.
    #[must_use]
    pub fn shows_only(&self, is_known: impl Fn(LogPosition, ChangeId) -> bool) -> bool {
        self.entries.len() <= MAX_TAIL && self.entries.iter().all(|(place, id, _)| is_known(*place, *id))
    }
}
