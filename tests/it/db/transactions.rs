//! Transactions: committed writes are stored, others are not, with any concurrency.

use futures_util::future::join_all;
use reelshelf::{
    db::{Conn, Db, DbError, movies},
    domain::{Attributes, ChangeId, Length, Movie, MovieFormat, MovieId, Rating, ReleaseYear, Time, Title},
};

use crate::{
    on_both,
    support::{films::films, until},
};

/// Returns any film.
pub fn film(id: i64) -> Movie {
    let attributes = Attributes {
        title: Title::parse(&format!("Film {id}")).unwrap(),
        movie_format: MovieFormat::Dvd,
        length: Length::try_from(90).unwrap(),
        release_year: ReleaseYear::try_from(2000).unwrap(),
        rating: Rating::try_from(3).unwrap(),
    };
    let now = Time::from_millis(0);
    Movie { id: MovieId::from_stored(id), attributes, version: 1, created_at: now, updated_at: now }
}

async fn insert(conn: &mut Conn, id: i64) -> Result<(), DbError> {
    movies::insert(conn, ChangeId::BEFORE_ALL, &[film(id)]).await
}

async fn column(db: &Db, sql: &'static str) -> Vec<i64> {
    db.read().await.unwrap().query(sql, &[], |row| row.get(0)).await.unwrap()
}

on_both! {
    async fn of_many_writers_at_once_exactly_those_that_commit_are_stored(service: &Service) {
        let db = &service.app.db;
        let writer = async |id: i64| {
            let db = db.clone();
            let write = async move {
                let mut tx = db.write().await?;
                insert(tx.conn(), id).await?;
                match id % 4 {
                    0 => drop(tx),
                    1 => insert(tx.conn(), id).await?, // there already: fails
                    2 => {
                        insert(tx.conn(), 1000 + id).await?;
                        tx.commit().await?;
                    }
                    _ => tx.commit().await?,
                }
                Ok::<_, DbError>(())
            };
            tokio::spawn(write).await.expect("no panic")
        };
        let done = join_all((1..=200).map(writer)).await;
        for (id, done) in (1..=200).zip(done) {
            match done {
                Ok(()) => assert_ne!(id % 4, 1, "{id}"),
                Err(error) => assert!(id % 4 == 1 && matches!(error, DbError::Duplicate(_)), "{id}: {error}"),
            }
        }
        let second = (1..=200).filter(|id| id % 4 == 2).map(|id| 1000 + id);
        let expected: Vec<i64> = (1..=200).filter(|id| id % 4 > 1).chain(second).collect();
        assert_eq!(column(db, "SELECT id FROM movies ORDER BY id").await, expected);
    }
}

on_both! {
    async fn what_was_committed_is_seen_at_once(service: &Service) {
        let db = &service.app.db;
        let count = || column(db, "SELECT count(*) FROM movies");
        for id in 1..=20 {
            let mut tx = db.write().await.unwrap();
            insert(tx.conn(), id).await.unwrap();
            assert_eq!(count().await, [id - 1], "nobody sees what is not committed");
            tx.commit().await.unwrap();
            assert_eq!(count().await, [id]);
        }
    }
}

on_both! {
    async fn a_transaction_that_is_dropped_leaves_nothing(service: &Service) {
        let db = &service.app.db;
        for id in 1..=40 {
            let mut tx = db.write().await.unwrap();
            insert(tx.conn(), id).await.unwrap();
            drop(tx); // more often than the pool has connections
        }
        let mut tx = db.write().await.unwrap();
        insert(tx.conn(), 41).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(column(db, "SELECT id FROM movies").await, [41]);
    }
}

on_both! {
    async fn a_writer_that_is_given_up_while_it_begins_holds_nobody_up(service: &Service) {
        let db = &service.app.db;
        drop(join_all((0..5).map(|_| db.read())).await); // so many connections are in the pool now
        for polls in 0..8 {
            let mut writes: Vec<_> = (0..4).map(|_| Box::pin(db.write())).collect();
            for write in &mut writes {
                for _ in 0..polls {
                    if futures_util::poll!(&mut *write).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            drop(writes);
            if service.database.kind == crate::support::Kind::Postgres {
                let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                            AND state LIKE 'idle in transaction%'";
                // Nobody waits for the cancelled statement.
                until(async || column(db, open).await == [0]).await;
            }
        }
        for id in 1..=40 {
            let mut tx = db.write().await.unwrap();
            insert(tx.conn(), id).await.unwrap();
            if id % 2 == 0 {
                tx.commit().await.unwrap();
            }
        }
        let expected: Vec<i64> = (1..=40).filter(|id| id % 2 == 0).collect();
        assert_eq!(column(db, "SELECT id FROM movies ORDER BY id").await, expected);
    }
}

on_both! {
    async fn a_statement_that_failed_cannot_be_committed_around(service: &Service) {
        let db = &service.app.db;
        let mut tx = db.write().await.unwrap();
        insert(tx.conn(), 1).await.unwrap();
        assert!(insert(tx.conn(), 1).await.is_err());
        let committed = tx.commit().await;
        // SQLite rolls back the statement, PostgreSQL the transaction; then the commit must report an error.
        let stored = column(db, "SELECT id FROM movies").await;
        assert_eq!(stored.len(), usize::from(committed.is_ok()), "{committed:?}");
    }
}

on_both! {
    async fn readers_and_writers_do_not_wait_for_one_another(service: &Service) {
        crate::support::films::fill(service, &films(100)).await;
        let mut tx = service.app.db.write().await.unwrap();
        insert(tx.conn(), 1000).await.unwrap();
        // All reads work during the open transaction.
        assert_eq!(service.get("/movie").await.json().as_array().unwrap().len(), 100);
        assert_eq!(service.get("/stats").await.json()["movies"], 100);
        tx.commit().await.unwrap();
        assert_eq!(column(&service.app.db, "SELECT count(*) FROM movies").await, [101]);
    }
}
