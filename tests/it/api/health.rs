//! Health checks, and responses while the database is not reachable.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reelshelf::{
    db::{Db, DbError, deadline},
    domain::{MovieId, Time},
    limits::WRITER_STALL,
    service::{App, Error, Identity, Owner, Viewer, health, movies},
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    on_both,
    support::{Answer, HANGS, Kind, PASSWORD, Service, TestDatabase, movie, until},
};

on_both! {
    async fn live_and_ready_answer_everybody(service: &Service) {
        for (path, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
            let answer = Answer::of(service.anonymous(Method::GET, path)).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"status": status})), "{answer:?}");
            assert_eq!(Answer::of(service.anonymous(Method::HEAD, path)).await.status, 200);
            let wrong = service.anonymous(Method::GET, path).basic_auth("nobody", Some("wrong"));
            assert_eq!(Answer::of(wrong).await.status, 200, "{path}");
        }
    }
}

/// Makes the PostgreSQL database of a test unreachable, or reachable again.
pub async fn set_reachable(service: &Service, reachable: bool) {
    let (server, name) = service.database.address.rsplit_once('/').expect("an address with a database");
    let cluster = TestDatabase::at(Kind::Postgres, format!("{server}/postgres"));
    cluster.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {reachable}")).await.expect("done");
    if !reachable {
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname";
        cluster.execute(&format!("{end} = '{name}'")).await.expect("done");
    }
}

/// Requests of every kind that need the database.
fn requests(service: &Service, session: &str) -> Vec<RequestBuilder> {
    let login = json!({"name": "viewer", "password": PASSWORD});
    let form = format!("name=viewer&password={}", PASSWORD.replace(' ', "+"));
    vec![
        service.anonymous(Method::GET, "/health/ready"),
        service.request(Method::GET, "/movie"),
        service.request(Method::GET, "/movie?limit=1"),
        service.request(Method::GET, "/movie/1"),
        service.request(Method::GET, "/stats"),
        service.request(Method::POST, "/movie").json(&movie("Alien", "DVD", 117, 1979, 5)),
        service.request(Method::POST, "/movie").header("content-type", "text/csv").body("title\nAlien\n"),
        service.request(Method::PATCH, "/movie/1").json(&json!({"rating": 1})),
        service.request(Method::DELETE, "/movie/1"),
        service.anonymous(Method::GET, "/movie").basic_auth("viewer", Some(PASSWORD)),
        service.anonymous(Method::GET, "/movie").header("cookie", session),
        service.anonymous(Method::GET, "/").header("cookie", session),
        service.anonymous(Method::GET, "/login"),
        service.anonymous(Method::GET, "/setup"),
        service.anonymous(Method::POST, "/login").json(&login),
        service
            .anonymous(Method::POST, "/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_the_service_says_when_to_try_again_and_recovers() {
    let service = Service::start(Kind::Postgres).await;
    let heat = service.add("Heat", "DVD", 170, 1995, 5).await;
    let login = json!({"name": "viewer", "password": PASSWORD});
    let signed_in = Answer::of(service.anonymous(Method::POST, "/login").json(&login)).await;
    let session = signed_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    for _ in 0..2 {
        set_reachable(&service, false).await;
        for request in requests(&service, &session) {
            let what = format!("{request:?}");
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 503, "{what}: {answer:?}");
            assert_eq!(answer.problem(503)["detail"], "the database cannot be reached at the moment");
            assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|s| s > 0), "{what}: {answer:?}");
            assert_eq!(answer.header("set-cookie"), "", "{what}");
        }
        assert_eq!(Answer::of(service.anonymous(Method::GET, "/health/live")).await.status, 200);

        set_reachable(&service, true).await;
        until(async || Answer::of(service.anonymous(Method::GET, "/health/ready")).await.status == 200).await;
        assert_eq!(service.get("/movie/1").await.json(), heat, "nothing of what was refused was done");
        assert_eq!(
            Answer::of(service.anonymous(Method::GET, "/").header("cookie", &session)).await.status,
            200
        );
    }
    service.add("Alien", "DVD", 117, 1979, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_cut_are_made_anew() {
    let service = Service::start(Kind::Postgres).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let statuses = futures_util::future::join_all((0..8).map(|_| service.get("/movie"))).await;
    assert!(statuses.iter().all(|answer| answer.status == 200), "{statuses:?}");
    set_reachable(&service, false).await;
    set_reachable(&service, true).await;
    // A broken connection may be detected only when it is used; then the client has to retry.
    let mut answers = Vec::new();
    while answers.last() != Some(&200) {
        assert!(answers.len() < 20, "{answers:?}");
        answers.push(service.get("/movie").await.status);
    }
    assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    assert_eq!(service.titles("/movie").await, ["Heat"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_somebody_writes_to_is_ready_for_readers() {
    let service = Service::start(Kind::Sqlite).await;
    let path = service.database.address.strip_prefix("sqlite:").expect("a path");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(Answer::of(service.anonymous(Method::GET, "/health/ready")).await.status, 200);
    assert_eq!(service.get("/movie").await.text, "[]\n");
    other.execute_batch("COMMIT").unwrap();
    service.add("Heat", "DVD", 170, 1995, 5).await;
}

on_both! {
    async fn a_writer_that_stands_still_for_half_a_minute_is_not_ready(service: &Service) {
        let ready = async |at: Instant| health::ready(&service.app, at).await.map_err(|error| error.to_string());
        let stalls = service.database.kind == Kind::Sqlite;
        let mut tx = service.app.db.write().await.unwrap();
        let begun = Instant::now();
        ready(begun).await.unwrap();
        ready(begun + WRITER_STALL * 9 / 10).await.unwrap();
        let late = ready(begun + WRITER_STALL + Duration::from_secs(5)).await;
        assert_eq!(late.is_err(), stalls, "{late:?}");
        // Each statement counts as progress.
        let stalled = || service.app.db.writer_stalled_for(begun + WRITER_STALL);
        let before = stalled();
        while stalls && stalled() >= before {
            tx.conn().query("SELECT 1", &[], |_| Ok(())).await.unwrap();
            assert!(begun.elapsed() < HANGS, "statements do not count");
        }
        tx.commit().await.unwrap();
        ready(begun + WRITER_STALL * 100).await.unwrap();
    }
}

on_both! {
    async fn loading_the_collection_goes_on_when_who_has_begun_it_waits_no_longer(database: TestDatabase) {
        let db = Db::open(&database.address).await.unwrap();
        let app = Arc::new(App::new(db, Arc::new(Time::now)));
        let ready = async || health::ready(&app, Instant::now()).await.is_ok();
        assert!(!ready().await, "it is not loaded yet");
        let viewer = Viewer::from(Identity::clone(Owner::console().identity()));
        let read = deadline::within(Duration::ZERO, movies::get(&app, &viewer, MovieId::from_stored(1))).await;
        // On another thread it may be loaded before the deadline is checked; then the movie does not exist.
        assert!(matches!(read, Err(Error::Db(DbError::Unavailable(_)) | Error::NotFound(_))), "{read:?}");
        until(ready).await; // nobody else loads it
    }
}
