//! Conversions of typed ids to parameters and from columns.

use std::error::Error;

use rusqlite::types::{FromSql as FromSqlite, FromSqlResult, ValueRef};
use tokio_postgres::types::{FromSql as FromPostgres, Type};

use super::Value;
use crate::domain::{ChangeId, MovieId, SessionId, TokenId, UserId};

macro_rules! stored {
    ($($id:ident),+) => {$(
        impl From<$id> for Value<'_> {
            fn from(id: $id) -> Self {
                id.get().into()
            }
        }

        impl From<Option<$id>> for Value<'_> {
            fn from(id: Option<$id>) -> Self {
                id.map($id::get).into()
            }
        }

        impl FromSqlite for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map($id::from_stored)
            }
        }

        impl<'a> FromPostgres<'a> for $id {
            fn from_sql(of: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
                i64::from_sql(of, bytes).map($id::from_stored)
            }

            fn accepts(of: &Type) -> bool {
                <i64 as FromPostgres<'_>>::accepts(of)
            }
        }
    )+};
}

stored!(MovieId, ChangeId, UserId, TokenId, SessionId);
