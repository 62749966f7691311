//! SQL that several queries have in common, as literals: so each query stays one fixed text, which is prepared once for
//! each connection.

/// On SQLite, where a change `c` comes in the log.
macro_rules! id_of_place {
    () => {
        "coalesce(c.place, c.id)"
    };
}

/// On PostgreSQL, the transaction of a change `c`, as a number.
macro_rules! transaction {
    () => {
        "CAST(CAST(c.xact AS TEXT) AS BIGINT)"
    };
}

/// On PostgreSQL, a place of the log as the log is ordered, from its two numbers `$1` and `$2`.
macro_rules! place {
    () => {
        "(CAST(CAST(CAST($1 AS BIGINT) AS TEXT) AS XID8), CAST($2 AS BIGINT))"
    };
}

/// On PostgreSQL, whether no transaction is under way that could still put a change before `c`.
macro_rules! settled {
    () => {
        "c.xact < pg_snapshot_xmin(pg_current_snapshot())"
    };
}

/// The same, as a number.
macro_rules! settled_number {
    () => {
        concat!("CAST(CAST(", $crate::db::fragments::settled!(), " AS INTEGER) AS BIGINT)")
    };
}

/// A change `c`, for what is read by `changes::read_change`.
macro_rules! change {
    () => {
        "SELECT c.id, c.at, c.user_name, c.via, c.kind, c.movies, c.undoes, \
         (SELECT u.id FROM changes u WHERE u.undoes = c.id)"
    };
}

/// Every version of every movie: those that are now and those that were.
macro_rules! versions {
    () => {
        concat!(
            "SELECT ",
            $crate::db::movie_columns::version!(),
            " FROM (SELECT id AS movie_id, ",
            $crate::db::movie_columns::attributes!(),
            ", version, created_at, updated_at, change_id FROM movies UNION ALL SELECT ",
            $crate::db::movie_columns::version!(),
            " FROM movie_versions) AS versions"
        )
    };
}

pub(super) use {change, id_of_place, place, settled, settled_number, transaction, versions};
