//! A query put together for one call: its text and its parameters.

use std::fmt::Write;

use super::{Conn, DbError, Row, Value};
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

    pub(super) fn filter(&mut self, filter: &'a Filter) {
        for word in &filter.words {
            self.condition();
            self.push("id IN (SELECT movie_id FROM movie_words WHERE word >= ");
            self.param(word.as_str().into());
            self.push(" AND word < ");
            self.param(format!("{word}\u{10ffff}").into());
            self.push(")");
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
