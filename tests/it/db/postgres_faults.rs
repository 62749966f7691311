//! Slow, busy, frozen and partly lost PostgreSQL: all waits end, and the rest continues.

use std::time::Duration;

use futures_util::future::join_all;
use reelshelf::{
    db::{Db, DbError, deadline, log, movies, users},
    domain::{ChangeId, MovieId, Role},
    http::Settings,
    limits::MAX_DATABASE_WRITE_CONNECTIONS,
};
use reqwest::Method;
use serde_json::json;

use super::transactions::film;
use crate::support::{
    Answer, HANGS, Kind, Service, TestDatabase, movie, postgres_server::PostgresServer, program::Signal,
    until,
};

/// SQL that counts the sessions waiting for locks.
pub const WAITING: &str = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Opens a transaction and leaves it idle.
pub async fn idle_transaction(database: &TestDatabase, sql: &str) -> tokio_postgres::Client {
    let client = database.client().await;
    client.batch_execute("BEGIN").await.expect("a transaction");
    client.batch_execute(sql).await.expect("it is done");
    client
}

#[track_caller]
fn is_unavailable(answer: &Answer) {
    answer.problem(503);
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|s| s > 0), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_takes_connections_but_never_answers_is_passed_over() {
    let database = TestDatabase::new(Kind::Postgres).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = silent.local_addr().expect("it listens").port();
    let address = database.address.replacen("@127.0.0.1:", &format!("@127.0.0.1:{port},127.0.0.1:"), 1);
    assert_ne!(address, database.address, "an address with one host");
    let db = Db::open(&format!("{address}?target_session_attrs=read-write&connect_timeout=1")).await;
    assert_eq!(
        movies::get(&mut db.unwrap().read().await.unwrap(), MovieId::from_stored(1)).await.unwrap(),
        None
    );
    drop(silent);
}

#[tokio::test]
async fn hosts_that_are_all_gone_are_named_with_their_reasons() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = silent.local_addr().expect("it listens").port();
    let address = format!("postgres://u:s3cret@127.0.0.1:{port},127.0.0.1:1/d?connect_timeout=1");
    let error = Db::open(&address).await.err().expect("no server");
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    let why = error.to_string();
    assert!(why.contains(&format!("127.0.0.1:{port}: no answer within ")), "{why}");
    assert!(why.contains("127.0.0.1:1: ") && !why.contains("s3cret"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_all_writers_wait_for_a_lock_of_somebody_else() {
    let service = Service::start(Kind::Postgres).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let holder = idle_transaction(&service.database, "UPDATE movie_rows SET rating = rating").await;
    let patches = (0..20).map(|_| {
        let patch = service.request(Method::PATCH, "/movie/1").json(&json!({"rating": 1}));
        tokio::spawn(Answer::of(patch))
    });
    let patches: Vec<_> = patches.collect();
    let waiting = async || service.number(WAITING).await;
    let all = i64::try_from(MAX_DATABASE_WRITE_CONNECTIONS).unwrap();
    until(async || waiting().await == all).await;
    let reads = ["/movie", "/movie/1", "/me", "/stats", "/movie?q=heat", "/history", "/health/ready"];
    for answer in join_all(reads.map(|path| service.get(path))).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(waiting().await, all, "the writers waited all the time");
    holder.batch_execute("ROLLBACK").await.unwrap();
    for patch in patches {
        let answer = patch.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_not_done_in_time_is_cancelled() {
    let service = Service::start(Kind::Postgres).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let holder = idle_transaction(&service.database, "UPDATE movie_rows SET rating = rating").await;
    let late = async {
        let mut tx = service.app.db.write().await?;
        movies::lock(tx.conn(), &[MovieId::from_stored(1)]).await?;
        tx.commit().await
    };
    let late = deadline::within(Duration::from_millis(300), late).await;
    assert!(matches!(late, Err(DbError::Unavailable(_))), "{late:?}");
    until(async || service.number(WAITING).await == 0).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(service.patch("/movie/1", &json!({"rating": 1})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_whose_client_is_gone_is_cancelled() {
    let service = Service::start(Kind::Postgres).await;
    // A table that nothing else reads meanwhile: the log and the movies are followed in the background.
    let holder = idle_transaction(&service.database, "LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await;
    let db = service.app.db.clone();
    let read = tokio::spawn(async move { users::list(&mut db.read().await?).await });
    let client = service.database.client().await;
    let waiting = async || client.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0);
    until(async || waiting().await == 1).await;
    read.abort();
    until(async || waiting().await == 0).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(service.get("/movie").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_administrator_cancels_can_be_tried_again() {
    let service = Service::start(Kind::Postgres).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    let end = ["pg_cancel_backend", "pg_terminate_backend"];
    for end in end {
        let holder = idle_transaction(&service.database, "UPDATE movie_rows SET rating = rating").await;
        let patch = service.request(Method::PATCH, "/movie/1").json(&json!({"rating": 1}));
        let patch = tokio::spawn(Answer::of(patch));
        until(async || service.number(WAITING).await == 1).await;
        let sql = WAITING.replace("count(*)", &format!("{end}(pid)"));
        service.database.execute(&sql).await.unwrap();
        is_unavailable(&patch.await.unwrap());
        holder.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(service.get("/movie/1").await.json()["rating"], 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_server_that_takes_no_writes_are_made_anew() {
    let service = Service::start(Kind::Postgres).await;
    let (_, name) = service.database.address.rsplit_once('/').expect("an address with a database");
    let set = async |value: &str| {
        let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
        service.database.execute(&sql).await.expect("it is set");
    };
    set("on").await;
    // A reused connection has its initial state.
    let instance = service.another_instance(Settings::default()).await;
    let film =
        json!({"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5});
    is_unavailable(&instance.post("/movie", &film).await);
    assert_eq!(instance.get("/movie").await.text, "[]\n");
    let client = service.database.client().await;
    client.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = off");
    client.batch_execute(&sql).await.unwrap();
    // The reads above may have opened another read-only connection.
    let mut answers = vec![instance.post("/movie", &film).await.status];
    while answers.last() != Some(&201) {
        assert!(answers.len() < 4, "{answers:?}");
        answers.push(instance.post("/movie", &film).await.status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_does_not_depend_on_how_the_database_is_set_up() {
    let database = TestDatabase::new(Kind::Postgres).await;
    let (_, name) = database.address.rsplit_once('/').expect("an address with a database");
    for setting in
        ["default_transaction_isolation = 'serializable'", "statement_timeout = 60000", "lock_timeout = 0"]
    {
        database.execute(&format!("ALTER DATABASE {name} SET {setting}")).await.unwrap();
    }
    let db = Db::open(&database.address).await.unwrap();
    let mut conn = db.read().await.unwrap();
    for (setting, value) in [
        ("SHOW transaction_isolation", "read committed"),
        ("SHOW jit", "off"),
        ("SHOW lock_timeout", "10s"),
        ("SHOW statement_timeout", "10s"),
        ("SHOW idle_in_transaction_session_timeout", "10s"),
        // So that the session of a dead client does not keep its locks.
        ("SHOW tcp_keepalives_idle", "3"),
        ("SHOW tcp_keepalives_interval", "1"),
        ("SHOW tcp_keepalives_count", "3"),
        ("SHOW tcp_user_timeout", "5000"),
    ] {
        let shown = conn.query(setting, &[], |row| row.get::<String>(0)).await.unwrap();
        assert_eq!(shown, [value], "{setting}");
    }
    drop(conn);
    let mut tx = db.begin_exclusive().await.unwrap();
    for (setting, value) in [
        ("SHOW transaction_isolation", "read committed"),
        ("SHOW lock_timeout", "10s"),
        ("SHOW statement_timeout", "10min"),
        ("SHOW idle_in_transaction_session_timeout", "10min"),
    ] {
        let shown = tx.conn().query(setting, &[], |row| row.get::<String>(0)).await.unwrap();
        assert_eq!(shown, [value], "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_holds_up_no_request_beyond_its_deadline() {
    let server = PostgresServer::start(&[]);
    let mut service = Service::empty(server.database(), Settings::default()).await;
    service.owner = service.add_user("olivia", Role::Owner).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    server.signal(Signal::STOP);
    let film =
        json!({"title": "Alien", "movieFormat": "DVD", "length": 117, "releaseYear": 1979, "rating": 5});
    let requests = (0..40).map(|n| match n % 4 {
        0 => service.request(Method::PATCH, "/movie/1").json(&json!({"rating": 1})),
        1 => service.request(Method::POST, "/movie").json(&film),
        2 => service.request(Method::GET, "/movie/1"),
        _ => service.anonymous(Method::GET, "/health/ready"),
    });
    let answers = tokio::time::timeout(HANGS, join_all(requests.map(Answer::of))).await;
    for answer in answers.expect("all are answered") {
        is_unavailable(&answer);
    }
    server.signal(Signal::CONT);
    assert_eq!(service.get("/health/ready").await.status, 200);
    assert_eq!(service.patch("/movie/1", &json!({"rating": 2})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_for_a_standby_is_neither_waited_for_nor_taken_back() {
    let settings = ["synchronous_standby_names = 'nobody'", "synchronous_commit = local"];
    let server = PostgresServer::start(&settings);
    let service = Service::empty(server.database(), Settings::default()).await;
    service.database.execute("ALTER DATABASE postgres SET synchronous_commit = 'on'").await.unwrap();
    let instance = service.another_instance(Settings::default()).await;
    let write = |id: usize| {
        let db = instance.app.db.clone();
        let write = async move {
            let mut tx = db.write().await?;
            movies::insert(tx.conn(), ChangeId::BEFORE_ALL, &[film(i64::try_from(id).unwrap())]).await?;
            tx.commit().await
        };
        deadline::within(Duration::from_secs(3), write)
    };
    // The last one gets no connection, since the others keep theirs.
    let last = MAX_DATABASE_WRITE_CONNECTIONS + 1;
    for done in join_all((1..last).map(&write)).await.into_iter().chain([write(last).await]) {
        assert!(matches!(done, Err(DbError::Unavailable(_))), "{done:?}");
    }
    let films = async || instance.number("SELECT count(*) FROM movies").await;
    assert_eq!(films().await, 0, "reads go on, and see nothing that is not safe");
    service.database.execute("ALTER SYSTEM SET synchronous_standby_names = ''").await.unwrap();
    service.database.execute("SELECT pg_reload_conf()").await.unwrap();
    until(async || films().await == i64::try_from(MAX_DATABASE_WRITE_CONNECTIONS).unwrap()).await;
    assert!(write(last).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_for_a_standby_are_answered_in_time_and_reads_go_on() {
    const COMMITTING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

    let settings = ["synchronous_standby_names = 'nobody'", "synchronous_commit = local"];
    let server = PostgresServer::start(&settings);
    let mut service = Service::empty(server.database(), Settings::default()).await;
    service.owner = service.add_user("olivia", Role::Owner).await;
    service.database.execute("ALTER DATABASE postgres SET synchronous_commit = 'on'").await.unwrap();
    let instance = service.another_instance(Settings::default()).await;
    let committing = async |count| until(async || service.number(COMMITTING).await == count).await;
    let film = movie("Alien", "DVD", 117, 1979, 5);
    // A batch that is large enough to be long work.
    let many: Vec<_> = (0..1000).map(|_| json!({"op": "create", "movie": film})).collect();
    let batch = instance.request(Method::POST, "/movie/batch").json(&json!({"operations": many}));
    let mut writes = vec![tokio::spawn(Answer::of(batch))];
    committing(1).await;
    let all = MAX_DATABASE_WRITE_CONNECTIONS;
    writes.extend(
        (1..all + 4).map(|_| tokio::spawn(Answer::of(instance.request(Method::POST, "/movie").json(&film)))),
    );
    committing(i64::try_from(all).unwrap()).await;
    for path in ["/movie", "/stats", "/movie?q=alien", "/me", "/history", "/health/ready"] {
        assert_eq!(instance.get(path).await.status, 200, "{path}");
    }
    assert_eq!(instance.get("/movie").await.text, "[]\n", "nothing is seen that is not safe");
    for answer in tokio::time::timeout(HANGS, join_all(writes)).await.expect("all are answered") {
        is_unavailable(&answer.unwrap());
    }
    assert_eq!(service.number(COMMITTING).await, i64::try_from(all).unwrap(), "none is taken back");
    service.database.execute("ALTER SYSTEM SET synchronous_standby_names = ''").await.unwrap();
    service.database.execute("SELECT pg_reload_conf()").await.unwrap();
    let stored = i64::try_from(1000 + all - 1).unwrap();
    until(async || instance.number("SELECT count(*) FROM movies").await == stored).await;
    assert_eq!(instance.post("/movie", &film).await.status, 201);
}

#[tokio::test]
async fn a_database_that_is_not_in_utf_8_is_refused() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let options = format!("ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
        let database = TestDatabase::new_on_cluster(&options).await;
        let error = Db::open(&database.address).await.err().expect("it is refused");
        assert!(matches!(error, DbError::Refused(_)), "{error:?}");
        let why = error.to_string();
        assert!(why.contains(encoding) && why.contains("UTF-8"), "{why}");
        assert!(database.execute("SELECT 1 FROM schema_migrations").await.is_err(), "it is left as it was");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_were_copied_from_another_cluster_keep_their_order() {
    // A separate server: a change is settled when no older transaction is running in any database of the
    // cluster.
    let server = PostgresServer::start(&[]);
    let mut service = Service::empty(server.database(), Settings::default()).await;
    service.owner = service.add_user("olivia", Role::Owner).await;
    for title in ["Heat", "Alien", "Brazil"] {
        service.add(title, "DVD", 100, 1985, 5).await;
    }
    // The second change has a transaction id that this cluster has not assigned yet.
    service.database.execute("UPDATE changes SET xact = '999999999999' WHERE id = 2").await.unwrap();
    let behind_first = async |service: &Service| {
        let mut conn = service.app.db.read().await.unwrap();
        let first = log::place_of(&mut conn, ChangeId::from_stored(1)).await.unwrap();
        let (log, held_back) = log::since(&mut conn, first, 10).await.unwrap();
        (log.into_iter().map(|(_, change)| change.id.get()).collect::<Vec<_>>(), held_back)
    };
    until(async || behind_first(&service).await == (vec![3], true)).await;
    let instance = service.another_instance(Settings::default()).await;
    until(async || behind_first(&instance).await == (vec![2, 3], false)).await;
    service.add("Dune", "DVD", 137, 1984, 3).await;
    let instance = instance.another_instance(Settings::default()).await;
    until(async || behind_first(&instance).await == (vec![2, 3, 4], false)).await;
    let own = "SELECT count(*) FROM changes WHERE xact <> '0'";
    assert_eq!(service.number(own).await, 2, "what was not copied stays where it is");
}
