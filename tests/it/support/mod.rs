//! A separate service for each test, with its own address and database.

pub mod certificate;
mod database;
pub mod films;
mod gate;
pub mod http2;
pub mod postgres_server;
mod prepared;
pub mod program;
pub mod proxy;
pub mod secrets;
pub mod signing_in;
pub mod terminal;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

pub use database::{Kind, TestDatabase};
pub use gate::Gate;
use reelshelf::{
    db::Db,
    documents::{NewToken, ProblemKind},
    domain::{Password, Role, Time, TokenName, UserName},
    http::{self, Settings},
    service::{App, IdempotencyKey, Owner, history::events, load_catalogue, tokens, users},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// The time at which every test begins: 2026-11-23T20:15:00.123Z.
pub const START: i64 = 1_795_464_900_123;
/// The timeout of a hanging test. It measures nothing, so it is long enough for a busy machine.
pub const HANGS: Duration = Duration::from_secs(120);
/// A valid password.
pub const PASSWORD: &str = "a shelf full of tapes";

/// Runs an async test on both databases: with a running service, or only with an empty database.
#[macro_export]
macro_rules! on_both {
    ($(#[$attribute:meta])* async fn $name:ident($service:ident: &Service) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every test uses what stands around it")]
            use super::*;

            async fn test($service: &$crate::support::Service) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                test(&$crate::support::Service::start($crate::support::Kind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                test(&$crate::support::Service::start($crate::support::Kind::Postgres).await).await;
            }
        }
    };
    ($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every test uses what stands around it")]
            use super::*;

            async fn test($database: $crate::support::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                test($crate::support::TestDatabase::new($crate::support::Kind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                test($crate::support::TestDatabase::new($crate::support::Kind::Postgres).await).await;
            }
        }
    };
}

/// A running service.
pub struct Service {
    pub app: Arc<App>,
    pub base: String,
    pub database: TestDatabase,
    pub client: reqwest::Client,
    /// Tokens of three users, one for each role and named like it.
    pub viewer: String,
    pub editor: String,
    pub owner: String,
    /// Holds imports after each batch of 500 rows.
    pub imports: Gate,
    /// Holds a loaded catalogue before it is swapped in.
    pub swaps: Gate,
    clock: Arc<AtomicI64>,
}

impl Service {
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, Settings::default()).await
    }

    pub async fn start_with(kind: Kind, settings: Settings) -> Self {
        let (database, [viewer, editor, owner]) = prepared::with_users(kind).await;
        Self { viewer, editor, owner, ..Self::empty(database, settings).await }
    }

    /// Starts a service without users.
    pub async fn empty(database: TestDatabase, settings: Settings) -> Self {
        Self::over(database, settings, Arc::new(AtomicI64::new(START)), Gate::new()).await
    }

    /// Starts another instance on the same database, with the same users, clock and gates.
    pub async fn another_instance(&self, settings: Settings) -> Self {
        let (database, imports) = (self.database.clone(), self.imports.clone());
        let instance = Self::over(database, settings, self.clock.clone(), imports).await;
        let [viewer, editor, owner] = [&self.viewer, &self.editor, &self.owner].map(String::clone);
        Self { viewer, editor, owner, ..instance }
    }

    /// Starts a service on a copy of the SQLite files, as a crash would leave them.
    pub async fn over_a_copy(&self) -> Self {
        let writer = self.app.db.write().await.expect("the writer"); // so that nobody else is writing
        let database = self.database.copy().await;
        drop(writer);
        let copy = Self::over(database, Settings::default(), self.clock.clone(), Gate::new()).await;
        let [viewer, editor, owner] = [&self.viewer, &self.editor, &self.owner].map(String::clone);
        Self { viewer, editor, owner, ..copy }
    }

    async fn over(database: TestDatabase, settings: Settings, clock: Arc<AtomicI64>, imports: Gate) -> Self {
        secrets::are_sought(); // so that the log is written from the beginning
        let ticking = clock.clone();
        let db = Db::open(&database.address).await.expect("the database opens");
        let now = move || Time::from_millis(ticking.load(Ordering::SeqCst));
        let app = App::new(db, Arc::new(now)).with_yield_policy(imports.policy());
        let swaps = Gate::new();
        let app = Arc::new(app.with_pause_before_swap(swaps.pause()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let base = format!("http://{}", listener.local_addr().expect("it listens"));
        let routes = http::router(app.clone(), settings).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        tokio::spawn(events::follow(app.clone()));
        load_catalogue(app.clone()).await;
        Self {
            app,
            base,
            database,
            client: client([]),
            viewer: String::new(),
            editor: String::new(),
            owner: String::new(),
            imports,
            swaps,
            clock,
        }
    }

    /// Advances the clock.
    pub fn pass_millis(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Adds a user with [`PASSWORD`]. Returns a token.
    pub async fn add_user(&self, name: &str, role: Role) -> String {
        add_user(&self.app, name, role).await
    }

    /// A request of the owner.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(&self.owner, method, path)
    }

    /// A request with a token.
    pub fn request_as(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(token)
    }

    /// A request without credentials.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Imports a file; `options` is the query, such as `?onError=skip`.
    pub async fn import(&self, media_type: &str, options: &str, file: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, &format!("/movie{options}"));
        Answer::of(request.header("content-type", media_type).body(file)).await
    }

    /// Returns the number that a query finds.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let mut conn = self.app.db.read().await.expect("a connection");
        conn.query(sql, &[], |row| row.get(0)).await.expect("a number")[0]
    }

    /// Creates a movie and returns it.
    pub async fn add(&self, title: &str, format: &str, length: i64, year: i64, rating: i64) -> Value {
        let answer = self.post("/movie", &movie(title, format, length, year, rating)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// Returns the titles of a list in order.
    pub async fn titles(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let movies = answer.json();
        let movies = movies.as_array().expect("a list").iter();
        movies.map(|movie| movie["title"].as_str().expect("a title").to_owned()).collect()
    }
}

/// Adds a user with [`PASSWORD`]. Returns a token.
async fn add_user(app: &App, name: &str, role: Role) -> String {
    let name = UserName::parse(name).expect("a valid name");
    let password = Password::parse(PASSWORD, &name).expect("a valid password");
    users::add(app, &Owner::console(), &name, role, password, IdempotencyKey::default())
        .await
        .expect("a new user");
    let new = NewToken { name: TokenName::parse("test").expect("a name"), role: None, expires_at: None };
    let made = tokens::create_for(app, &Owner::console(), &name, &new).await.expect("a token");
    made.1.reveal().to_owned()
}

/// Polls until a condition is true.
pub async fn until(reached: impl AsyncFn() -> bool) {
    let wait = async {
        while !reached().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(HANGS, wait).await.expect("it happens in time");
}

/// A client that follows no redirects and trusts only these certificates.
pub fn client(trusted: impl IntoIterator<Item = reqwest::Certificate>) -> reqwest::Client {
    client_builder(trusted).build().expect("a client")
}

/// The builder of [`client`].
pub fn client_builder(trusted: impl IntoIterator<Item = reqwest::Certificate>) -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default(); // an error: it is there already
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.tls_certs_only(trusted)
}

/// Returns the operations of the API that may write, such as `PATCH /movie/{id}`.
pub fn writing_operations() -> BTreeSet<String> {
    let description = serde_json::to_value(http::openapi()).expect("a description");
    let paths = description["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, operations)| {
        let methods = operations.as_object().expect("operations").keys();
        let writing = methods.filter(|method| ["post", "put", "patch", "delete"].contains(&method.as_str()));
        writing.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// Returns the JSON of a movie's five attributes.
pub fn movie(title: &str, format: &str, length: i64, year: i64, rating: i64) -> Value {
    json!({"title": title, "movieFormat": format, "length": length, "releaseYear": year, "rating": rating})
}

/// A response with its body, unless it is a stream.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    /// The secrets in request and response.
    pub secrets: Vec<String>,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let mut secrets = secrets::of_request(&request);
        let response = client.execute(request).await.expect("an answer");
        let endless = response.headers().get("content-type").is_some_and(|of| of == "text/event-stream");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = if endless { String::new() } else { response.text().await.expect("a body") };
        secrets.extend(secrets::of_answer(&headers, &text));
        secrets::note(&secrets);
        Self { status, headers, text, secrets }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Checks that this is a problem document with this status, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{self:?}");
        let kind = problem["type"].as_str().and_then(|address| address.strip_prefix("/docs/errors/"));
        let Some(kind) = kind.and_then(ProblemKind::of_slug) else { panic!("no page: {self:?}") };
        assert_eq!(kind.page().status, status, "{self:?}");
        assert!(self.text.ends_with("}\n"), "{self:?}");
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        problem
    }

    /// Returns the sorted pointers or parameters of a problem's violations.
    #[track_caller]
    pub fn places(&self, status: u16) -> Vec<String> {
        let problem = self.problem(status);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let place = |error: &Value| {
            error.get("pointer").or(error.get("parameter")).and_then(Value::as_str).map(str::to_owned)
        };
        let mut places: Vec<String> = errors.iter().filter_map(place).collect();
        places.sort();
        places
    }
}
