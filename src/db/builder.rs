//! A query that is built for one call: its text and its parameters.

use std::fmt::Write;

use super::{Conn, DbError, Row, Sql, Value};

pub(super) struct Builder<'a> {
    sql: String,
    params: Vec<Value<'a>>,
    is_repeated: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), params: Vec::new(), is_repeated: false }
    }

    /// Starts a query about a number of rows whose text depends on nothing else. For one row, the most
    /// frequent case, the prepared statement is cached by each connection.
    pub(super) fn about(rows: usize, sql: impl Into<String>) -> Self {
        Self { is_repeated: rows == 1, ..Self::new(sql) }
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
        let (sql, params) = self.finish();
        conn.query(sql, &params, read).await
    }

    pub(super) async fn execute(self, conn: &mut Conn) -> Result<u64, DbError> {
        let (sql, params) = self.finish();
        conn.execute(sql, &params).await
    }

    fn finish(self) -> (Sql, Vec<Value<'a>>) {
        let sql = if self.is_repeated { Sql::Repeated(self.sql) } else { Sql::Built(self.sql) };
        (sql, self.params)
    }
}
