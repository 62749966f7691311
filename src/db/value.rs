//! Query texts, parameters and result rows.

use std::{borrow::Cow, sync::Arc};

use super::DbError;

/// The text of a query. Constant texts, and built texts of a fixed form, are prepared once for each
/// connection. Other built texts are not cached, since their number is unlimited.
pub enum Sql {
    Fixed(&'static str),
    Repeated(String),
    Built(String),
}

impl Sql {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(sql) => sql,
            Self::Repeated(sql) | Self::Built(sql) => sql,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(sql: &'static str) -> Self {
        Self::Fixed(sql)
    }
}

impl From<String> for Sql {
    fn from(sql: String) -> Self {
        Self::Built(sql)
    }
}

/// A parameter of a query.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    Number(Option<i64>),
    Text(Option<Cow<'a, str>>),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// A number of rows, as a parameter.
pub(super) fn number(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Returns `count` placeholders from `first` on: `$1, $2`.
pub(super) fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

pub(super) type PgParam<'a> = &'a (dyn tokio_postgres::types::ToSql + Sync);

impl Value<'_> {
    fn postgres(&self) -> PgParam<'_> {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text,
        }
    }
}

pub(super) fn untyped<'a>(params: &'a [Value<'_>]) -> Vec<PgParam<'a>> {
    params.iter().map(Value::postgres).collect()
}

pub(super) fn typed<'a>(params: &'a [Value<'_>]) -> Vec<(PgParam<'a>, tokio_postgres::types::Type)> {
    use tokio_postgres::types::Type;
    let of = |value: &Value<'_>| match value {
        Value::Number(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
    };
    params.iter().map(|value| (value.postgres(), of(value))).collect()
}

/// A result row.
pub enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

/// A type that a column can be read as.
pub trait Column: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> {}
impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> Column for T {}

impl Row<'_> {
    /// Reads the column at an index, from 0.
    ///
    /// # Errors
    /// [`DbError::Failed`] if the column has another type.
    pub fn get<T: Column>(&self, column: usize) -> Result<T, DbError> {
        Ok(match self {
            Self::Sqlite(row) => row.get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// Returns whether the column at an index is NULL.
    ///
    /// # Errors
    /// [`DbError::Failed`] if there is no such column.
    pub fn is_null(&self, column: usize) -> Result<bool, DbError> {
        Ok(match self {
            Self::Sqlite(row) => row.get_ref(column)? == rusqlite::types::ValueRef::Null,
            Self::Postgres(row) => match row.columns()[column].type_() {
                &tokio_postgres::types::Type::TEXT => row.try_get::<_, Option<&str>>(column)?.is_none(),
                _ => row.try_get::<_, Option<i64>>(column)?.is_none(),
            },
        })
    }

    /// Reads a text column as a domain type.
    ///
    /// # Errors
    /// [`DbError::Failed`] if the column has another type or an invalid value.
    pub fn parse<T>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, crate::domain::Invalid>,
    ) -> Result<T, DbError> {
        let text = match self {
            Self::Sqlite(row) => row.get_ref(column)?.as_str().map_err(|e| DbError::Failed(Arc::new(e)))?,
            Self::Postgres(row) => row.try_get(column)?,
        };
        parse(text).map_err(|e| DbError::Failed(Arc::new(e)))
    }

    /// Reads an integer column as a domain type.
    ///
    /// # Errors
    /// [`DbError::Failed`] if the column has another type or an invalid value.
    pub fn number<T: TryFrom<i64, Error = crate::domain::Invalid>>(
        &self,
        column: usize,
    ) -> Result<T, DbError> {
        T::try_from(self.get(column)?).map_err(|e| DbError::Failed(Arc::new(e)))
    }
}
