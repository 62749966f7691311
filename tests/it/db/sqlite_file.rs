//! The SQLite file: served by one process, and moved or replaced while it is open.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::future::join_all;
use reelshelf::db::DbError;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Kind, Service, movie};

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

async fn ready(service: &Service) -> Answer {
    Answer::of(service.anonymous(Method::GET, "/health/ready")).await
}

/// What happens to the file while it is served.
type Accident = (&'static str, fn(&Path));

const ACCIDENTS: [Accident; 5] = [
    ("removed", |file| fs::remove_file(file).unwrap()),
    ("renamed", |file| fs::rename(file, beside(file, ".old")).unwrap()),
    ("replaced", |file| {
        let copy = beside(file, ".copy");
        fs::copy(file, &copy).unwrap();
        fs::rename(copy, file).unwrap();
    }),
    ("the log was removed", |file| fs::remove_file(beside(file, "-wal")).unwrap()),
    ("the log was replaced", |file| {
        let (log, copy) = (beside(file, "-wal"), beside(file, ".copy"));
        fs::copy(&log, &copy).unwrap();
        fs::rename(copy, log).unwrap();
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_in_its_place_any_more_is_not_written_to_and_still_read() {
    for (what, accident) in ACCIDENTS {
        let service = Service::start(Kind::Sqlite).await;
        let heat = service.add("Heat", "DVD", 170, 1995, 5).await;
        assert_eq!(ready(&service).await.status, 200, "{what}");
        accident(&service.database.file());

        for _ in 0..2 {
            service.post("/movie", &movie("Ran", "DVD", 160, 1985, 5)).await.problem(503);
            service.patch("/movie/1", &json!({"rating": 1})).await.problem(503);
            service.delete("/movie/1").await.problem(503);
            service.import("text/csv", "?onDuplicate=add", crate::support::films::csv(3)).await.problem(503);
            let why = ready(&service).await.problem(503)["detail"].as_str().unwrap().to_owned();
            assert!(why.contains("moved, removed or replaced"), "{what}: {why}");
        }
        let reads = join_all((0..20).map(|_| service.get("/movie"))).await;
        for read in reads {
            assert_eq!((read.status, read.json()), (200, json!([heat])), "{what}");
        }
        assert_eq!(service.get("/stats").await.json()["movies"], 1, "{what}");
    }
}

/// The last connection removes the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_closed_is_not_taken_for_one_whose_log_was_removed() {
    let service = Service::start(Kind::Sqlite).await;
    service.app.db.close().await;
    assert!(!beside(&service.database.file(), "-wal").exists());
    for _ in 0..2 {
        let found = service.app.db.check_file();
        assert!(
            matches!(&found, Err(DbError::Unavailable(why)) if why == "the database is closed"),
            "{found:?}"
        );
        service.post("/movie", &movie("Ran", "DVD", 160, 1985, 5)).await.problem(503);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_put_back_is_written_to_after_a_restart() {
    let service = Service::start(Kind::Sqlite).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let (file, old) = (service.database.file(), beside(&service.database.file(), ".old"));
    fs::rename(&file, &old).unwrap();
    ready(&service).await.problem(503);
    fs::rename(&old, &file).unwrap();
    service.post("/movie", &movie("Ran", "DVD", 160, 1985, 5)).await.problem(503);
    ready(&service).await.problem(503);
    service.app.db.close().await;
    let again = service.another_instance(reelshelf::http::Settings::default()).await;
    again.add("Ran", "DVD", 160, 1985, 5).await;
    assert_eq!(again.titles("/movie").await, ["Heat", "Ran"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_not_applied_to_a_file_that_has_taken_the_place() {
    let (served, other) = (Service::start(Kind::Sqlite).await, Service::start(Kind::Sqlite).await);
    for n in 0..50 {
        served.add(&format!("Heat {n}"), "DVD", 170, 1995, 5).await;
    }
    other.add("Ran", "DVD", 160, 1985, 5).await;
    other.app.db.close().await; // which leaves it without a log
    let (file, old) = (served.database.file(), beside(&served.database.file(), ".old"));
    fs::hard_link(&file, &old).unwrap();
    fs::rename(other.database.file(), &file).unwrap();
    served.post("/movie", &movie("Alien", "DVD", 117, 1979, 5)).await.problem(503);
    served.app.db.close().await;

    for (file, movies) in [(file, 1), (old, 50)] {
        let connection = rusqlite::Connection::open(file).unwrap();
        let check = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(check("PRAGMA integrity_check"), "ok");
        assert_eq!(check("SELECT CAST(count(*) AS TEXT) FROM movies"), movies.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_another_file_is_left_alone() {
    let service = Service::start(Kind::Sqlite).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let file = service.database.file();
    for suffix in ["", "-wal"] {
        fs::rename(beside(&file, suffix), beside(&file, &format!(".old{suffix}"))).unwrap();
        fs::write(beside(&file, suffix), "of somebody else").unwrap();
    }
    ready(&service).await.problem(503);
    service.app.db.close().await;
    for suffix in ["", "-wal"] {
        assert_eq!(fs::read_to_string(beside(&file, suffix)).unwrap(), "of somebody else");
    }
}
