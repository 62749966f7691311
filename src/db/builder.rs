//! A query put together for one call: its text and its parameters.

use std::fmt::Write;

use super::{Conn, DbError, Row, Value};

pub(super) struct Builder<'a> {
    sql: String,
    params: Vec<Value<'a>>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), params: Vec::new() }
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
