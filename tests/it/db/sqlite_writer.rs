//! The single writer of SQLite: queue, deadline, group commit.

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use futures_util::{
    future::{join, join_all},
    poll,
};
use reelshelf::{
    db::{Db, DbError, deadline, settle},
    domain::{MovieId, MoviePatch},
    service::{
        App, Editor, Error, Owner,
        movies::{self, Precondition},
    },
};
use serde_json::json;
use tokio::sync::{Notify, oneshot};

use crate::support::{Answer, Kind, Service, TestDatabase, until};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn unavailable<T>(done: Result<T, DbError>) {
    match done {
        Err(DbError::Unavailable(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was done"),
    }
}

/// Opens a write transaction of another process.
fn other_writer(database: &TestDatabase) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(database.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_deadline_of_another_writer() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let db = Db::open(&database.address).await.unwrap();
    let other = other_writer(&database);
    // The first waits for the other process, the others for the first.
    let mut first = Box::pin(deadline::within(LONG, db.write()));
    assert!(poll!(&mut first).is_pending());
    let others = || (0..6).map(|_| deadline::within(SHORT, db.write()));
    tokio::select! {
        _ = &mut first => panic!("it was not to wait for"),
        done = join_all(others()) => done.into_iter().for_each(unavailable),
    }
    tokio::select! {
        _ = &mut first => panic!("it was not to wait for"),
        done = join_all((0..6).map(|_| deadline::within(SHORT, db.begin_exclusive()))) => {
            done.into_iter().for_each(unavailable);
        }
    }
    other.execute_batch("COMMIT").unwrap();
    first.await.unwrap().commit().await.unwrap();
    db.write().await.unwrap().commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_up_while_another_process_wrote_leaves_the_writer_as_it_was() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let db = Db::open(&database.address).await.unwrap();
    for _ in 0..3 {
        let other = other_writer(&database);
        let mut gone = [Box::pin(db.write()), Box::pin(db.write())];
        let mut large = Box::pin(db.begin_exclusive());
        for write in &mut gone {
            assert!(poll!(write).is_pending());
        }
        assert!(poll!(&mut large).is_pending());
        drop((gone, large));
        other.execute_batch("ROLLBACK").unwrap();
        db.write().await.unwrap().commit().await.unwrap();
        db.begin_exclusive().await.unwrap().commit().await.unwrap();
        assert_eq!(db.writer_stalled_for(std::time::Instant::now() + LONG), Duration::ZERO, "nobody has it");
    }
}

#[test]
fn work_that_waits_takes_no_thread_from_others() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = TestDatabase::new(Kind::Sqlite).await;
        let db = Db::open(&database.address).await.unwrap();
        let held = db.write().await.unwrap();
        let begin = (0..8).map(|large| {
            let (db, working) = (db.clone(), db.clone());
            let work = async move {
                let tx = if large % 2 == 0 { db.begin_exclusive().await? } else { db.write().await? };
                tx.commit().await
            };
            tokio::spawn(async move { working.run_blocking(work).await })
        });
        let queued: Vec<_> = begin.collect();
        let gate = Arc::new(Notify::new());
        let opening = gate.clone();
        let waits = tokio::spawn({
            let db = db.clone();
            async move {
                let wait = async move {
                    gate.notified().await;
                    Ok::<_, DbError>(())
                };
                db.run_blocking(wait).await
            }
        });
        // With a single thread, this runs only if none of the others blocks that thread.
        for _ in 0..10 {
            db.run_blocking(async { Ok::<_, DbError>(()) }).await.unwrap();
        }
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        opening.notify_one();
        waits.await.unwrap().unwrap();
        held.commit().await.unwrap();
        for write in queued {
            write.await.unwrap().unwrap();
        }
        db.close().await;
    });
}

/// An operation whose response is sent when everything it reports is on disk.
type Request<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

fn request<'a, T>(work: impl Future<Output = Result<T, Error>> + 'a) -> Request<'a> {
    Box::pin(async move { settle::settled(work).await?.map(drop) })
}

fn rating(rating: i64) -> MoviePatch {
    MoviePatch { rating: Some(rating.try_into().unwrap()), ..MoviePatch::default() }
}

fn move_away(file: &Path) {
    std::fs::rename(file, file.with_extension("away")).unwrap();
}

/// All requests read what the first one has written to the open transaction of their group. The commit fails,
/// since the file is moved before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_that_a_failed_commit_takes_back() {
    let service = Service::start(Kind::Sqlite).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    service.add("Ran", "DVD", 160, 1985, 5).await;
    let app: &Arc<App> = &service.app;
    let owner = Owner::console();
    let editor = Editor::try_from(owner.identity().clone()).unwrap();
    let change = |id, version: Option<i64>, wanted: i64| {
        let precondition = Precondition::of(version);
        let editor = &editor;
        request(async move { movies::change(app, editor, id, &precondition, &rating(wanted)).await })
    };
    let none = Precondition::default();
    let [one, two] = [1, 2].map(MovieId::from_stored);
    let mut requests: Vec<Request<'_>> = vec![change(one, None, 2)];
    requests.push(request(movies::remove(app, &editor, two, &none)));
    for _ in 0..48 {
        requests.push(change(one, None, 2)); // nothing to change any more
    }
    requests.push(change(one, Some(1), 3)); // another version
    requests.push(change(two, None, 3)); // not there any more
    requests.push(request(movies::remove(app, &editor, two, &none)));

    let writer = app.db.write().await.unwrap();
    for request in &mut requests {
        assert!(poll!(request).is_pending(), "it waits for the writer");
    }
    move_away(&service.database.file());
    let (committed, done) = join(writer.commit(), join_all(requests)).await;
    unavailable(committed);
    for (place, done) in done.into_iter().enumerate() {
        assert!(matches!(done, Err(Error::Db(DbError::Unavailable(_)))), "request {place}: {done:?}");
    }
    let heat = service.get("/movie/1").await.json();
    assert_eq!((&heat["rating"], &heat["version"]), (&json!(5), &json!(1)));
    assert_eq!(service.get("/movie/2").await.status, 200);
}

/// The same for work on the blocking pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_long_is_answered_that_a_failed_commit_takes_back() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let db = Db::open(&database.address).await.unwrap();
    let before = db.begin_exclusive().await.unwrap();
    let mut first = Box::pin(async {
        let mut tx = db.write().await?;
        tx.conn().execute("INSERT INTO staged_imports (change_id) VALUES (7)", &[]).await?;
        tx.commit().await
    });
    assert!(poll!(&mut first).is_pending());
    let (queue, is_queued) = oneshot::channel();
    let working = db.clone();
    let reads = async move {
        let mut begin = Box::pin(working.write());
        assert!(poll!(&mut begin).is_pending());
        queue.send(()).unwrap();
        let mut tx = begin.await?;
        tx.conn().query("SELECT change_id FROM staged_imports", &[], |row| row.get::<i64>(0)).await
    };
    let long = db.clone();
    let reads = tokio::spawn(async move { long.run_blocking(reads).await });
    is_queued.await.unwrap();
    move_away(&database.file());
    unavailable(before.commit().await);
    unavailable(first.await);
    unavailable(reads.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_became_long_is_cut_while_people_read() {
    let service = Service::start(Kind::Sqlite).await;
    let log = service.database.folder().join("films.db-wal");
    let length = || std::fs::metadata(&log).map_or(0, |log| log.len());
    let mut tx = service.app.db.begin_exclusive().await.unwrap();
    tx.conn()
        .execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000) \
         INSERT INTO idempotency_keys (user_id, key, created_at, result) \
         SELECT 1, n, 0, hex(zeroblob(1000)) FROM n",
            &[],
        )
        .await
        .unwrap();
    tx.commit().await.unwrap();
    until(async || {
        assert_eq!(service.get("/movie").await.status, 200);
        length() < 1024 * 1024
    })
    .await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered_503_at_its_deadline_while_another_process_writes() {
    let service = Service::start(Kind::Sqlite).await;
    let other = other_writer(&service.database);
    let film = crate::support::movie("Heat", "DVD", 170, 1995, 5);
    let creates = (0..6).map(|_| service.post("/movie", &film));
    for answer in join_all(creates).await {
        answer.problem(503);
        assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    }
    let ready = Answer::of(service.anonymous(reqwest::Method::GET, "/health/ready")).await;
    assert_eq!(ready.status, 200, "a lock of another process is no standstill: {ready:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(service.add("Heat", "DVD", 170, 1995, 5).await["id"], 1, "nothing was stored before");
}
