//! Writes that PostgreSQL rolls back because of another transaction are retried, exactly once.

use std::collections::BTreeSet;

use reelshelf::{
    documents::NewToken,
    domain::{Time, TokenName, UserName},
    http::Settings,
    service::{Owner, backup, history, sessions, setup, tokens},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::postgres_faults::{WAITING, idle_transaction};
use crate::support::{
    Answer, Kind, PASSWORD, START, Service, TestDatabase, movie, signing_in::secret, until,
    writing_operations,
};

const NEW: &str = "another shelf of tapes";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_is_done_again() {
    let service = Service::start(Kind::Postgres).await;
    for title in ["Alien", "Brazil", "Casablanca"] {
        service.add(title, "DVD", 100, 1985, 5).await;
    }
    let lock = |id: i64| format!("SELECT 1 FROM movie_rows WHERE id = {id} FOR UPDATE");
    let gate = idle_transaction(&service.database, &lock(2)).await;
    let other = idle_transaction(&service.database, &lock(3)).await;
    // The other transaction never checks for deadlocks, so the batch is rolled back.
    other.batch_execute("SET LOCAL deadlock_timeout = '10min'").await.unwrap();
    let operations: Vec<Value> =
        (1..=3).map(|id| json!({"op": "update", "id": id, "changes": {"rating": 1}})).collect();
    let batch = service.request(Method::POST, "/movie/batch").json(&json!({"operations": operations}));
    let batch = tokio::spawn(Answer::of(batch.header("idempotency-key", "once")));
    let waiting = async |count: i64| until(async || service.number(WAITING).await == count).await;
    waiting(1).await; // it has the first movie, and waits for the second
    let first = lock(1);
    let reverse = tokio::spawn(async move {
        other.batch_execute(&first).await?;
        other.batch_execute("COMMIT").await
    });
    waiting(2).await;
    gate.batch_execute("ROLLBACK").await.unwrap(); // now it waits for the third, which the other one has
    reverse.await.unwrap().expect("it is not the victim");
    let batch = batch.await.unwrap();
    assert_eq!(batch.status, 200, "{batch:?}");
    for id in 1..=3 {
        let movie = service.get(&format!("/movie/{id}")).await.json();
        assert_eq!((&movie["version"], &movie["rating"]), (&json!(2), &json!(1)), "{movie}");
    }
    let changes = service.get("/history").await.json();
    assert_eq!(changes.as_array().map(Vec::len), Some(4), "{changes}");
    assert_eq!(changes[0]["id"], batch.json()["change"]);
}

/// Where a transaction fails that has written to a table: at its first statement, or at its commit.
const FAULTS: [(&str, &str, &str); 2] = [
    ("deadlock_detected", "CREATE TRIGGER", "FOR EACH STATEMENT"),
    ("serialization_failure", "CREATE CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"),
];

/// A service whose next write is rolled back once.
struct Faulty {
    service: Service,
    /// The operations tested.
    done: BTreeSet<String>,
}

impl Faulty {
    async fn start((error, create, when): (&str, &str, &str)) -> Self {
        let database = TestDatabase::new(Kind::Postgres).await;
        let service = Service::empty(database, Settings::default()).await;
        let timing = if create.contains("CONSTRAINT") { "AFTER" } else { "BEFORE" };
        // Sequences are not rolled back.
        let count = format!(
            "CREATE SEQUENCE writes; CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('writes') = 1 THEN RAISE EXCEPTION 'a fault' USING ERRCODE = '{error}'; END IF; \
             RETURN NULL; END $$;"
        );
        let triggers = ["changes", "users", "tokens", "sessions"].map(|table| {
            format!(
                "{create} fail_first {timing} INSERT OR UPDATE OR DELETE ON {table} {when} \
                 EXECUTE FUNCTION fail_first();"
            )
        });
        let sql = count + &triggers.concat();
        service.database.execute(&sql).await.unwrap();
        Self { service, done: BTreeSet::new() }
    }

    /// Runs work whose first write is rolled back.
    async fn rolled_back<T: std::fmt::Debug>(&self, what: &str, work: impl Future<Output = T>) -> T {
        self.service.database.execute("ALTER SEQUENCE writes RESTART").await.unwrap();
        let done = work.await;
        let writes = self.service.number("SELECT last_value FROM writes").await;
        assert!(writes > 1, "{what} was done again: {done:?}");
        done
    }

    /// Sends a request whose first write is rolled back.
    async fn send(&mut self, operation: &str, request: RequestBuilder, status: u16) -> Answer {
        let answer = self.rolled_back(operation, Answer::of(request)).await;
        assert_eq!(answer.status, status, "{operation}: {answer:?}");
        self.done.insert(operation.to_owned());
        answer
    }

    async fn owner(&mut self, operation: &str, path: &str, body: Value, status: u16) -> Answer {
        let (method, _) = operation.split_once(' ').expect("a method");
        let request = self.service.request(method.parse().expect("a method"), path).json(&body);
        self.send(operation, request, status).await
    }
}

/// Creates the first owner, named `owner`, as the others expect.
async fn set_up(faulty: &mut Faulty) {
    let code = setup::begin(&faulty.service.app).await.unwrap().expect("a code");
    let owner = json!({"code": code.reveal(), "name": "owner", "password": PASSWORD});
    let request = faulty.service.anonymous(Method::POST, "/setup").json(&owner);
    faulty.send("POST /setup", request, 201).await;
    let login = faulty.service.anonymous(Method::POST, "/login");
    let login = login.json(&json!({"name": "owner", "password": PASSWORD}));
    let session = faulty.send("POST /login", login, 200).await.cookie().to_owned();
    let make = faulty.service.request_in(&session, Method::POST, "/token").json(&json!({"name": "laptop"}));
    let token = faulty.send("POST /token", make, 201).await;
    secret(&token.json()).clone_into(&mut faulty.service.owner);
    let logout = faulty.service.request_in(&session, Method::POST, "/logout");
    faulty.send("POST /logout", logout, 204).await;
    faulty.service.me_in(&session).await.problem(401);
}

async fn change_movies(faulty: &mut Faulty) {
    let heat = movie("Heat", "DVD", 170, 1995, 5);
    let post = |service: &Service| {
        let request = service.request(Method::POST, "/movie").json(&heat);
        request.header("idempotency-key", "once")
    };
    let made = faulty.send("POST /movie", post(&faulty.service), 201).await;
    let again = Answer::of(post(&faulty.service)).await;
    assert_eq!((again.status, &again.text), (201, &made.text), "the key was kept with the write");
    let (id, path) = (made.json()["id"].clone(), format!("/movie/{}", made.json()["id"])); // ids are not taken back
    faulty.owner("PATCH /movie/{id}", &path, json!({"rating": 1}), 200).await;
    let operations =
        json!([{"op": "update", "id": id, "changes": {"rating": 2}}, {"op": "create", "movie": heat}]);
    let batch = json!({"operations": operations});
    let change = faulty.owner("POST /movie/batch", "/movie/batch", batch, 200).await.json()["change"].clone();
    faulty.owner("POST /history/{change}/undo", &format!("/history/{change}/undo"), json!({}), 200).await;
    let file = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,3\nAlien,VHS,117,1979,4\n";
    let import = faulty.service.request(Method::POST, "/movie?onDuplicate=update").body(file);
    let report = faulty.send("POST /movie", import.header("content-type", "text/csv"), 200).await.json();
    assert_eq!((&report["created"], &report["updated"]), (&json!(1), &json!(1)), "{report}");
    let heat = faulty.service.get(&path).await.json();
    assert_eq!((&heat["version"], &heat["rating"]), (&json!(5), &json!(3)), "each once: {heat}");
    faulty.owner("DELETE /movie/{id}", &path, json!({}), 204).await;
    let session = faulty.service.session_of("owner").await;
    let fields = "do=delete&all=%2F";
    let selection = faulty.service.request_in(&session, Method::POST, "/selection").body(fields);
    let selection = selection.header("content-type", "application/x-www-form-urlencoded");
    faulty.send("POST /selection", selection, 303).await;
    assert_eq!(faulty.service.get("/movie").await.text, "[]\n");
}

async fn change_accounts(faulty: &mut Faulty) {
    let vera = json!({"name": "vera", "role": "editor", "password": PASSWORD});
    faulty.owner("POST /user", "/user", vera, 201).await;
    let session = async |faulty: &Faulty, name: &str, password: &str| {
        let session = faulty.service.log_in(name, password).await.cookie().to_owned();
        let list = Answer::of(faulty.service.request_in(&session, Method::GET, "/session")).await;
        (session, list.json()[0]["id"].clone())
    };
    let (_, id) = session(faulty, "vera", PASSWORD).await;
    faulty
        .owner("DELETE /user/{name}/session/{id}", &format!("/user/vera/session/{id}"), json!({}), 204)
        .await;
    let (vera, id) = session(faulty, "vera", PASSWORD).await;
    let end = faulty.service.request_in(&vera, Method::DELETE, &format!("/session/{id}"));
    faulty.send("DELETE /session/{id}", end, 204).await;
    let (vera, _) = session(faulty, "vera", PASSWORD).await;
    let passwords = json!({"presentPassword": PASSWORD, "password": NEW});
    let change = faulty.service.request_in(&vera, Method::PATCH, "/me").json(&passwords);
    faulty.send("PATCH /me", change, 200).await;
    let (vera, _) = session(faulty, "vera", NEW).await;
    for (operation, path) in
        [("DELETE /token/{id}", "/token"), ("DELETE /user/{name}/token/{id}", "/user/vera/token")]
    {
        let make = faulty.service.request_in(&vera, Method::POST, "/token").json(&json!({"name": "phone"}));
        let id = Answer::of(make).await.json()["id"].clone();
        let path = format!("{path}/{id}");
        let request = match operation {
            "DELETE /token/{id}" => faulty.service.request_in(&vera, Method::DELETE, &path),
            _ => faulty.service.request(Method::DELETE, &path),
        };
        faulty.send(operation, request, 204).await;
    }
    faulty.service.pass_millis(60 * 60 * 1000);
    let touched = faulty.rolled_back("the use of a session", faulty.service.me_in(&vera)).await;
    assert_eq!(touched.status, 200);
    let others = faulty.service.request_in(&vera, Method::POST, "/account/session/end-others");
    let others = others.header("content-type", "application/x-www-form-urlencoded");
    session(faulty, "vera", NEW).await;
    faulty.send("POST /account/session/end-others", others, 303).await;
    faulty.owner("PATCH /user/{name}", "/user/vera", json!({"role": "viewer"}), 200).await;
}

/// Runs the operations of the console.
async fn administer(faulty: &mut Faulty) {
    let (app, console) = (faulty.service.app.clone(), Owner::console());
    let vera = UserName::parse("vera").unwrap();
    let new = NewToken { name: TokenName::parse("script").unwrap(), role: None, expires_at: None };
    faulty
        .rolled_back("a token of the console", tokens::create_for(&app, &console, &vera, &new))
        .await
        .unwrap();
    faulty.rolled_back("all tokens", tokens::revoke_all_of(&app, &console, &vera)).await.unwrap();
    faulty.service.session_of("owner").await;
    let owner = UserName::parse("owner").unwrap();
    faulty.rolled_back("all sessions", sessions::end_all_of(&app, &console, &owner)).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("films.backup");
    backup::make(&app, &console, &file, false, std::future::pending()).await.unwrap();
    let restore = backup::restore(&app, &console, &file, true, std::future::pending());
    let restored = faulty.rolled_back("a restore", restore).await.unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!((files, restored.replaced.is_some_and(|file| file.exists())), (2, true));
    let prune = history::prune(&app, &console, Time::from_millis(2 * START));
    assert!(faulty.rolled_back("a pruned history", prune).await.unwrap() > 0);
    assert_eq!(faulty.service.get("/history").await.text, "[]\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_is_done_again() {
    for fault in FAULTS {
        let mut faulty = Faulty::start(fault).await;
        set_up(&mut faulty).await;
        change_movies(&mut faulty).await;
        change_accounts(&mut faulty).await;
        administer(&mut faulty).await;
        faulty.owner("DELETE /user/{name}", "/user/vera", json!({}), 204).await;
        let missing: Vec<_> = writing_operations().difference(&faulty.done).cloned().collect();
        assert!(missing.is_empty(), "a new operation is done again, and tested here: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rolled_back_again_and_again_is_given_up() {
    let service = Service::start(Kind::Postgres).await;
    let fail = "CREATE SEQUENCE writes; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                PERFORM nextval('writes'); RAISE EXCEPTION 'a fault' USING ERRCODE = '40P01'; END $$; \
                CREATE TRIGGER fail BEFORE INSERT ON changes FOR EACH STATEMENT EXECUTE FUNCTION fail()";
    service.database.execute(fail).await.unwrap();
    let answer = service.post("/movie", &movie("Heat", "DVD", 170, 1995, 5)).await;
    answer.problem(503);
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{answer:?}");
    let attempts = i64::try_from(reelshelf::limits::MAX_WRITE_ATTEMPTS).unwrap();
    assert_eq!(service.number("SELECT last_value FROM writes").await, attempts);
}
