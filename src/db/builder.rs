//! A query put together for one call: its text and its parameters.

use std::fmt::Write;

use super::{Conn, DbError, Driver, Row, Value, words::Stretch};
use crate::domain::{Bounds, Filter};

pub(super) struct Builder<'a> {
    sql: String,
    params: Vec<Value<'a>>,
    has_where: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), params: Vec::new(), has_where: false }
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    pub(super) fn param(&mut self, value: Value<'a>) {
        self.params.push(value);
        let _ = write!(self.sql, "${}", self.params.len());
    }

    pub(super) fn list(&mut self, values: impl IntoIterator<Item = Value<'a>>) {
        for (n, value) in values.into_iter().enumerate() {
            if n > 0 {
                self.push(", ");
            }
            self.param(value);
        }
    }

    pub(super) fn condition(&mut self) {
        self.push(if self.has_where { " AND " } else { " WHERE " });
        self.has_where = true;
    }

    /// The movies that pass. Those with the first word are looked at for the other words before all else.
    pub(super) fn filter(&mut self, filter: &'a Filter, driver: &Driver<'_>) {
        self.filter_within(filter, driver, "id IN (", ")");
    }

    /// The same for a list in some order. PostgreSQL has to be told to begin with the words, and not to go through
    /// the order until enough titles have them: they may stand together at its end.
    pub(super) fn filter_words_first(&mut self, filter: &'a Filter, driver: &Driver<'_>) {
        match driver {
            Driver::Sqlite(_) => self.filter(filter, driver),
            Driver::Postgres(_) => self.filter_within(filter, driver, "id = ANY (ARRAY(", "))"),
        }
    }

    fn filter_within(&mut self, filter: &'a Filter, driver: &Driver<'_>, before: &str, behind: &str) {
        /// PostgreSQL tries all orders of so many words; the time for that grows with their square and more. It
        /// looks for the others one by one, in the few titles that have these.
        const PLANNED_WORDS: usize = 3;

        if let Some((first, others)) = filter.words.split_first() {
            self.condition();
            self.push(before);
            self.push("SELECT movie_id FROM movie_words AS led WHERE ");
            self.begins_with(first);
            for (n, other) in others.iter().enumerate() {
                self.push(" AND EXISTS (SELECT 1 FROM movie_words WHERE movie_id = led.movie_id AND ");
                self.begins_with(other);
                let is_planned = n < PLANNED_WORDS || matches!(driver, Driver::Sqlite(_));
                self.push(if is_planned { ")" } else { " OFFSET 0)" });
            }
            self.push(behind);
        }
        if !filter.movie_formats.is_empty() {
            self.condition();
            self.push("movie_format IN (");
            self.list(filter.movie_formats.iter().map(|format| format.as_str().into()));
            self.push(")");
        }
        self.bounds("length", filter.length);
        self.bounds("release_year", filter.release_year);
        self.bounds("rating", filter.rating);
    }

    fn begins_with(&mut self, word: &str) {
        let Stretch { from, below } = Stretch::beginning_with(word);
        self.push("word >= ");
        self.param(from.into());
        self.push(" AND word < ");
        self.param(below.into());
    }

    fn bounds(&mut self, column: &str, bounds: Bounds) {
        for (comparison, end) in [(">=", bounds.min), ("<=", bounds.max)] {
            if let Some(end) = end {
                self.condition();
                self.push(&format!("{column} {comparison} "));
                self.param(end.into());
            }
        }
    }

    pub(super) async fn query<T>(
        self,
        conn: &mut Conn,
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        conn.query(self.sql, &self.params, read).await
    }

    pub(super) async fn execute(self, conn: &mut Conn) -> Result<u64, DbError> {
        conn.execute(self.sql, &self.params).await
    }
}
