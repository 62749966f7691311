//! Rows that are cached until the next commit.

use std::cell::Cell;

use reelshelf::{
    db::{Conn, Db, Unchanged},
    domain::ChangeId,
};

use crate::{db::transactions::film, on_both};

on_both! {
    async fn a_row_is_read_anew_once_anybody_has_committed(database: TestDatabase) {
        let (db, other) = (Db::open(&database.address).await.unwrap(), Db::open(&database.address).await.unwrap());
        let (rows, queries) = (Unchanged::new(10), Cell::new(0));
        let look = async |is_usable: bool| {
            let query = async |conn: &mut Conn| {
                queries.set(queries.get() + 1);
                conn.query_opt("SELECT count(*) FROM movies", &[], |row| row.get::<i64>(0)).await
            };
            let queries_before = queries.get();
            let row = rows.get(&db, "count", |_| is_usable, query).await.unwrap();
            (row.unwrap(), queries.get() > queries_before)
        };
        // PostgreSQL is queried each time.
        let is_kept = database.address.starts_with("sqlite:");

        assert_eq!(look(true).await, (0, true), "the first time");
        assert_eq!(look(true).await, (0, !is_kept), "nothing was committed");
        assert_eq!(look(false).await, (0, true), "what cannot be used");
        for (id, writer) in [(1, &other), (2, &db), (3, &other)] {
            let mut tx = writer.write().await.unwrap();
            reelshelf::db::movies::insert(tx.conn(), ChangeId::BEFORE_ALL, &[film(id)]).await.unwrap();
            assert_eq!(look(true).await.0, id - 1, "what is not committed is not seen");
            tx.commit().await.unwrap();
            assert_eq!(look(true).await, (id, true), "committed");
            assert_eq!(look(true).await, (id, !is_kept));
        }
        drop(other);
        assert_eq!(look(true).await, (3, !is_kept), "another connection was closed");
        let mut tx = db.write().await.unwrap();
        reelshelf::db::movies::insert(tx.conn(), ChangeId::BEFORE_ALL, &[film(4)]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(look(true).await, (4, true));
        db.close().await;
    }
}

on_both! {
    async fn more_rows_than_are_kept_are_read_anew(database: TestDatabase) {
        let db = Db::open(&database.address).await.unwrap();
        let rows = Unchanged::new(2);
        for key in ["one", "two", "three", "one", "two"] {
            let query = async |_: &mut Conn| Ok(Some(key));
            assert_eq!(rows.get(&db, key, |_| true, query).await.unwrap(), Some(key));
            let missing = async |_: &mut Conn| Ok(None);
            assert_eq!(rows.get(&db, "missing", |_| true, missing).await.unwrap(), None);
        }
        db.close().await;
    }
}
