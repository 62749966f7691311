//! SQL shared by several queries, as literals. Each query stays one constant text, so each connection
//! prepares it once.

/// On SQLite: the log position of a change `c`.
macro_rules! id_of_place {
    () => {
        "coalesce(c.place, c.id)"
    };
}

/// On PostgreSQL: the transaction id of a change `c`, as a number.
macro_rules! transaction {
    () => {
        "CAST(CAST(c.xact AS TEXT) AS BIGINT)"
    };
}

/// On PostgreSQL: a log position from the parameters `$1` and `$2`, comparable with `(xact, place)`.
macro_rules! place {
    () => {
        "(CAST(CAST(CAST($1 AS BIGINT) AS TEXT) AS XID8), CAST($2 AS BIGINT))"
    };
}

/// On PostgreSQL: whether `c` is settled, since no older transaction is running.
macro_rules! settled {
    () => {
        "c.xact < pg_snapshot_xmin(pg_current_snapshot())"
    };
}

/// The same as 0 or 1.
macro_rules! settled_number {
    () => {
        concat!("CAST(CAST(", $crate::db::fragments::settled!(), " AS INTEGER) AS BIGINT)")
    };
}

/// The columns of a change `c`, for `changes::read_change`.
macro_rules! change {
    () => {
        "SELECT c.id, c.at, c.user_name, c.via, c.kind, c.movies, c.undoes, \
         (SELECT u.id FROM changes u WHERE u.undoes = c.id)"
    };
}

/// All versions of all movies, current and earlier.
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
