//! Opening a database: migrations, and foreign files.

use std::{future::pending, os::unix::fs::PermissionsExt, sync::Arc};

use reelshelf::{
    db::{Db, DbError},
    domain::{MovieId, Role},
    http::Settings,
};
use tokio::sync::oneshot;

use crate::{
    on_both,
    support::{Kind, Service, TestDatabase},
};

async fn migrations(db: &Db) -> Vec<(String, i64)> {
    let sql = "SELECT name, applied_at FROM schema_migrations ORDER BY name";
    db.read().await.unwrap().query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?))).await.unwrap()
}

async fn refused(address: &str) -> String {
    match Db::open(address).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

on_both! {
    async fn opening_again_migrates_nothing_and_keeps_everything(service: &Service) {
        let movie = service.add("Heat", "DVD", 170, 1995, 5).await;
        let before = migrations(&service.app.db).await;
        assert!(!before.is_empty());
        let again = Db::open(&service.database.address).await.unwrap();
        assert_eq!(migrations(&again).await, before);
        assert_eq!(service.get("/movie/1").await.json(), movie);
    }
}

on_both! {
    async fn a_database_of_a_newer_program_is_refused(service: &Service) {
        service.database.execute("INSERT INTO schema_migrations (name, applied_at) VALUES ('9999_later', 0)").await.unwrap();
        let why = refused(&service.database.address).await;
        assert!(why.contains("newer"), "{why}");
    }
}

on_both! {
    async fn a_migration_that_is_missing_between_others_is_not_passed_over(service: &Service) {
        let first = migrations(&service.app.db).await[0].0.clone();
        service.database.execute(&format!("DELETE FROM schema_migrations WHERE name = '{first}'")).await.unwrap();
        refused(&service.database.address).await;
    }
}

on_both! {
    async fn a_step_of_the_schema_with_other_sql_is_named_and_refused(service: &Service) {
        let database = &service.database;
        assert_eq!(service.number("SELECT count(*) FROM schema_migrations WHERE length(checksum) <> 64").await, 0);
        let other = "UPDATE schema_migrations SET checksum = '00' || checksum WHERE name = '0003_history'";
        database.execute(other).await.unwrap();
        let why = refused(&database.address).await;
        assert!(why.contains("another 0003_history"), "{why}");
        let same = "UPDATE schema_migrations SET checksum = substr(checksum, 3) WHERE name = '0003_history'";
        database.execute(same).await.unwrap();
        Db::open(&database.address).await.unwrap();
    }
}

on_both! {
    async fn a_database_from_before_the_checksums_gets_them(service: &Service) {
        let database = &service.database;
        let undone = match database.kind {
            Kind::Sqlite => "ALTER TABLE staged_imports RENAME TO imports_under_way;",
            Kind::Postgres => "",
        };
        let before = format!(
            "{undone} ALTER TABLE schema_migrations DROP COLUMN checksum;
             DELETE FROM schema_migrations WHERE name >= '0009_step_checksums'"
        );
        database.execute(&before).await.unwrap();
        Db::open(&database.address).await.unwrap();
        let all = "SELECT count(*) FROM schema_migrations WHERE length(checksum) = 64";
        assert_eq!(service.number(all).await, i64::try_from(migrations(&service.app.db).await.len()).unwrap());
    }
}

#[tokio::test]
async fn tables_of_another_program_are_refused_and_left_alone() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = TestDatabase::new(kind).await;
        database.execute("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('Heat')").await.unwrap();
        let before = (kind == Kind::Sqlite).then(|| files(&database));
        let why = refused(&database.address).await;
        assert!(why.contains("another program"), "{kind:?}: {why}");
        assert!(before.is_none_or(|before| before == files(&database)), "the file is as it was");
        database.execute("SELECT name FROM songs").await.unwrap();
        assert!(database.execute("SELECT 1 FROM movies").await.is_err(), "{kind:?}");
        assert!(database.execute("SELECT 1 FROM schema_migrations").await.is_err(), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_may_open_a_fresh_database_at_once() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for _ in 0..4 {
            let database = TestDatabase::new(kind).await;
            let opening = || {
                let address = database.address.clone();
                tokio::spawn(async move { Db::open(&address).await })
            };
            let opened = futures_util::future::join_all((0..6).map(|_| opening())).await;
            for db in opened {
                let db = db.unwrap().unwrap_or_else(|error| panic!("{kind:?}: {error}"));
                assert_eq!(
                    migrations(&db).await.len(),
                    migrations(&db)
                        .await
                        .iter()
                        .map(|m| &m.0)
                        .collect::<std::collections::BTreeSet<_>>()
                        .len()
                );
            }
        }
    }
}

/// Returns the names and contents of all files in the database's folder.
fn files(database: &TestDatabase) -> Vec<(String, Vec<u8>)> {
    let entries =
        std::fs::read_dir(database.folder()).expect("a folder").map(|entry| entry.expect("an entry"));
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().expect("a name"), std::fs::read(entry.path()).expect("a file"))
    };
    let mut files: Vec<_> = entries.map(read).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 10_000]].concat();
    let nearly = [b"SQLite format 3\0".as_slice(), &[0xff; 4096]].concat();
    for content in [&b"xy"[..], b"SQLite format 3\0", b"title,movieFormat\nHeat,DVD\n", &picture, &nearly] {
        let database = TestDatabase::new(Kind::Sqlite).await;
        std::fs::write(database.file(), content).unwrap();
        let before = files(&database);
        let why = refused(&database.address).await;
        assert!(why.contains("not an SQLite database"), "{why}");
        assert_eq!(files(&database), before, "{:?}", &content[..content.len().min(20)]);
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_refused_and_left_as_it_was() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    Db::open(&database.address).await.unwrap().close().await;
    let whole = std::fs::read(database.file()).unwrap();
    std::fs::write(database.file(), &whole[..whole.len() / 2]).unwrap();
    let before = files(&database);
    refused(&database.address).await;
    assert_eq!(files(&database), before);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_refused() {
    let folder = TestDatabase::new(Kind::Sqlite).await;
    let here = folder.folder().display();
    for address in [
        "films.db".to_owned(),
        String::new(),
        "mysql://localhost/films".to_owned(),
        "sqlite:".to_owned(),
        format!("sqlite:{here}"),
        format!("sqlite:{here}/no/such/folder/films.db"),
        "postgres://reelshelf:s3cret@127.0.0.1:1/films".to_owned(),
    ] {
        let why = refused(&address).await;
        assert!(!why.contains("s3cret"), "{why}");
    }
    assert!(files(&folder).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_is_for_its_owner_alone_and_keeps_a_write_ahead_log() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let mut service = Service::empty(database, Settings::default()).await;
    service.owner = service.add_user("olivia", Role::Owner).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let mut names = Vec::new();
    for (name, _) in files(&service.database) {
        let mode = service.database.folder().join(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        names.push(name);
    }
    assert_eq!(names, ["films.db", "films.db-shm", "films.db-wal"]);
    let connection = rusqlite::Connection::open(service.database.file()).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_sqlite_database_is_one_file_that_holds_everything() {
    let service = crate::support::Service::start(Kind::Sqlite).await;
    let movie = service.add("Heat", "DVD", 170, 1995, 5).await;
    service.app.db.close().await;
    let names: Vec<String> = files(&service.database).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["films.db"]);
    let again = Db::open(&service.database.address).await.unwrap();
    let found =
        reelshelf::db::movies::get(&mut again.read().await.unwrap(), MovieId::from_stored(1)).await.unwrap();
    assert_eq!(serde_json::to_value(found).unwrap(), movie);
}

on_both! {
    async fn a_database_that_is_closed_waits_for_no_long_work(service: &Service) {
        let db = service.app.db.clone();
        let (begins, begun) = oneshot::channel();
        let held = Arc::new(());
        let (working, holding) = (db.clone(), held.clone());
        let long = tokio::spawn(async move {
            let work = async move {
                let _ = (begins.send(()), &holding);
                pending().await
            };
            working.run_blocking::<(), DbError>(work).await
        });
        begun.await.unwrap();
        db.close().await;
        assert_eq!(Arc::strong_count(&held), 1, "it is dropped before the database is closed");
        for done in [long.await.unwrap(), db.run_blocking(pending()).await] {
            assert!(matches!(done, Err(DbError::Unavailable(_))), "{done:?}");
        }
    }
}
