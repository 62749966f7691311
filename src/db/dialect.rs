//! Which SQL a database speaks.

/// The SQL that a database speaks, where one text does not do for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}
