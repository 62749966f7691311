//! No secret is in the log, at any level and from any library.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{
        Answer, PASSWORD, TestDatabase,
        certificate::Pair,
        client, movie,
        program::{Program, run_with_input},
        secrets::found,
        signing_in::secret,
    },
};

const WRONG: &str = "a wrong password for olivia";
const SECOND: &str = "one more shelf of tapes";
const THIRD: &str = "a third shelf, full of discs";
const SEARCHED: &str = "whatsomebodysearches";

/// Sends or creates secrets in every way.
struct Walk<'a> {
    server: &'a Program,
    client: reqwest::Client,
    secrets: Vec<String>,
}

impl Walk<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.server.base))
    }

    async fn send(&mut self, request: RequestBuilder, status: u16) -> Answer {
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        self.secrets.extend(answer.secrets.clone());
        answer
    }

    async fn json(&mut self, method: Method, path: &str, body: Value, status: u16) -> Answer {
        self.send(self.request(method, path).json(&body), status).await
    }

    async fn form(&mut self, cookie: &str, path: &str, fields: &[(&str, &str)], status: u16) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path).body(body).header("cookie", cookie);
        self.send(request.header("content-type", "application/x-www-form-urlencoded"), status).await
    }

    /// Sets up the service by page and by JSON.
    async fn set_up(&mut self) {
        let code = self.server.setup_code();
        self.send(self.request(Method::GET, "/setup"), 200).await;
        let wrong = json!({"code": "a-wrong-set-up-code", "name": "olivia", "password": PASSWORD});
        self.json(Method::POST, "/setup", wrong, 403).await;
        let short = [("code", &*code), ("name", "olivia"), ("password", "short-one")];
        self.form("", "/setup", &short, 422).await;
        let set_up = json!({"code": code, "name": "olivia", "password": PASSWORD});
        self.json(Method::POST, "/setup", set_up, 201).await;
    }

    /// Signs in in every way. Returns a session cookie.
    async fn sign_in(&mut self) -> String {
        for (password, status) in [(PASSWORD, 200), (WRONG, 401)] {
            self.json(Method::POST, "/login", json!({"name": "olivia", "password": password}), status).await;
        }
        for (user, password, status) in
            [("olivia", PASSWORD, 200), ("olivia", WRONG, 401), (WRONG, PASSWORD, 401)]
        {
            let basic = self.request(Method::GET, "/movie").basic_auth(user, Some(password));
            self.send(basic, status).await;
        }
        self.send(self.request(Method::GET, "/movie").bearer_auth("rsh_made-up-by-somebody"), 401).await;
        self.send(
            self.request(Method::GET, "/movie").header("authorization", "Digest made-up-by-somebody"),
            401,
        )
        .await;
        let cookie = "reelshelf_session=made-up-by-somebody";
        self.send(self.request(Method::GET, "/movie").header("cookie", cookie), 401).await;
        self.form("", "/login", &[("name", "olivia"), ("password", WRONG)], 401).await;
        let answer = self.form("", "/login", &[("name", "olivia"), ("password", PASSWORD)], 303).await;
        answer.cookie().to_owned()
    }

    /// Manages tokens, users and passwords by API and pages. Returns a token.
    async fn manage(&mut self, cookie: &str) -> String {
        let with_cookie =
            |walk: &Self, method, path: &str| walk.request(method, path).header("cookie", cookie);
        let mut made = None;
        for _ in 0..2 {
            let request =
                with_cookie(self, Method::POST, "/token").header("idempotency-key", "a-key-for-the-token");
            made = Some(self.send(request.json(&json!({"name": "laptop"})), 201).await.json());
        }
        let token = secret(&made.expect("a token")).to_owned();
        let shown = [("name", "page"), ("role", "viewer"), ("expiresAt", ""), ("once", "a-number-of-a-form")];
        self.form(cookie, "/account/token", &shown, 200).await;
        let vera = json!({"name": "vera", "role": "viewer", "password": SECOND});
        let request =
            with_cookie(self, Method::POST, "/user").header("idempotency-key", "a-key-for-the-user");
        self.send(request.json(&vera), 201).await;
        let new = json!({"password": THIRD});
        self.send(with_cookie(self, Method::PATCH, "/user/vera").json(&new), 200).await;
        let added = [("name", "paula"), ("role", "viewer"), ("password", SECOND)];
        self.form(cookie, "/users/add", &added, 303).await;
        let changed = [("name", "paula"), ("role", "editor"), ("password", THIRD)];
        self.form(cookie, "/users/change", &changed, 303).await;
        self.form("", "/users/change", &changed, 401).await; // kept, without its password, until somebody signs in
        self.send(with_cookie(self, Method::GET, &format!("/movie?q={SEARCHED}")), 200).await;
        let wrong = json!({"presentPassword": WRONG, "password": SECOND});
        self.send(with_cookie(self, Method::PATCH, "/me").json(&wrong), 422).await;
        token
    }

    async fn use_token(&mut self, token: &str) {
        let heat = movie("Heat", "DVD", 170, 1995, 5);
        self.send(self.request(Method::POST, "/movie").bearer_auth(token).json(&heat), 201).await;
        let csv = "title,movieFormat,length,releaseYear,rating\nAlien,DVD,117,1979,5\n";
        let import =
            self.request(Method::POST, "/movie").bearer_auth(token).header("content-type", "text/csv");
        self.send(import.header("idempotency-key", "a-key-for-the-import").body(csv), 200).await;
        self.send(self.request(Method::GET, "/events").bearer_auth(token), 200).await;
    }

    /// Changes one's own password by API and page, which ends the session.
    async fn change_passwords(&mut self, cookie: &str) {
        let new = json!({"presentPassword": PASSWORD, "password": SECOND});
        self.send(self.request(Method::PATCH, "/me").header("cookie", cookie).json(&new), 200).await;
        let signed_in =
            self.json(Method::POST, "/login", json!({"name": "olivia", "password": SECOND}), 200).await;
        let fields = [("presentPassword", SECOND), ("password", THIRD), ("passwordAgain", THIRD)];
        self.form(signed_in.cookie(), "/account/password", &fields, 303).await;
        self.json(Method::POST, "/logout", json!({}), 401).await;
    }
}

/// Returns the stored forms of secrets: hashes of passwords, tokens, cookies and keys.
async fn stored(database: &TestDatabase) -> Vec<String> {
    let mut stored = Vec::new();
    for sql in ["SELECT password_hash FROM users", "SELECT secret FROM tokens", "SELECT secret FROM sessions"]
    {
        stored.extend(database.texts(sql).await);
    }
    assert!(stored.len() >= 5, "{stored:?}");
    stored
}

/// Sends secrets in every way. Checks that the log has none of them, and that the search would find one.
async fn walk(database: &TestDatabase, server: Program, client: reqwest::Client) {
    let mut walk = Walk { server: &server, client, secrets: vec![SEARCHED.to_owned(), WRONG.to_owned()] };
    walk.set_up().await;
    let cookie = walk.sign_in().await;
    let token = walk.manage(&cookie).await;
    walk.use_token(&token).await;
    let of_before = stored(database).await;
    walk.change_passwords(&cookie).await;
    let Walk { mut secrets, .. } = walk;
    secrets.extend(of_before);
    secrets.extend(stored(database).await);
    secrets.extend(password_of(database));
    for sent in
        [PASSWORD, WRONG, SECOND, THIRD, SEARCHED, "rsh_made-up-by-somebody", "a-key-for-the-user", &token]
    {
        assert!(secrets.iter().any(|secret| secret == sent), "{sent} is not sought");
    }
    secrets.sort();
    secrets.dedup();

    let log = server.end().expect(0).err;
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    let announced: String = log.lines().filter(|line| line.contains("reelshelf::setup")).collect();
    assert_eq!(announced.matches("/setup").count(), 1, "{announced}");
    let log: Vec<&str> = log.lines().filter(|line| !line.contains("reelshelf::setup")).collect();
    let log = log.join("\n");
    assert_eq!(found(&log, &secrets), Vec::<String>::new());
    for planted in &secrets {
        let line = format!("{log}\nheaders: {planted:?}");
        assert!(planted.len() < 8 || !found(&line, &secrets).is_empty(), "{planted} would not be found");
    }
}

/// Returns the password in a database address.
fn password_of(database: &TestDatabase) -> Option<String> {
    let (user, _) = database.address.strip_prefix("postgres://")?.split_once('@')?;
    Some(user.split_once(':')?.1.to_owned())
}

/// The most verbose level of each library.
const EVERYTHING: &str = "trace,tokio_postgres=trace,h2=trace,hyper=trace,rustls=trace,audit=off";

on_both! {
    async fn none_is_in_the_log_over_http(database: TestDatabase) {
        for format in ["text", "json"] {
            let server = Program::start_with(&database, &["--log-format", format], &[("RUST_LOG", EVERYTHING)]);
            walk(&database, server, client([])).await;
            database.execute("DELETE FROM users; DELETE FROM movie_rows").await.unwrap();
        }
    }
}

on_both! {
    async fn none_is_in_the_log_over_https_and_http_2(database: TestDatabase) {
        let pair = Pair::new();
        let (certificate, key) = (pair.path("cert.pem"), pair.path("key.pem"));
        let files = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        let server = Program::start_with(&database, &files, &[("RUST_LOG", EVERYTHING)]);
        walk(&database, server, client([pair.certificate()])).await;
    }
}

on_both! {
    async fn none_is_in_the_log_of_a_command(database: TestDatabase) {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, file) = (folder.path().to_str().expect("a path"), folder.path().join("owner"));
        std::fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
        let file = file.to_str().expect("a path");
        let owner = ["--owner", "olivia", "--owner-password-file", file];
        let server = Program::start_with(&database, &owner, &[("RUST_LOG", EVERYTHING)]);
        let environment = [
            ("RUST_LOG", EVERYTHING), ("REELSHELF_DATABASE", &*database.address), ("XDG_CONFIG_HOME", home), ("HOME", home),
        ];
        let mut said = String::new();
        let mut secrets = vec![PASSWORD.to_owned(), SECOND.to_owned(), THIRD.to_owned()];
        let login = ["login", &server.base, "--name", "olivia", "--password-stdin"];
        for (arguments, input) in [
            (&login[..], PASSWORD),
            (&["list", "--json"], ""),
            (&["user", "add", "vera", "--password-stdin"], SECOND),
            (&["user", "passwd", "vera", "--password-stdin"], THIRD),
            (&["token", "create", "vera", "laptop"], ""),
            (&["logout"], ""),
        ] {
            let done = run_with_input(arguments, &environment, format!("{input}\n").as_bytes()).expect(0);
            said += &done.err;
            let token = done.out.lines().find(|line| line.starts_with("rsh_"));
            secrets.extend(token.map(str::to_owned));
        }
        let logins = folder.path().join("reelshelf").join("logins.json");
        assert!(!std::fs::read_to_string(logins).unwrap_or_default().contains("rsh_"), "logged out");
        secrets.extend(database.texts("SELECT password_hash FROM users").await);
        secrets.extend(database.texts("SELECT secret FROM tokens").await);
        secrets.extend(password_of(&database));
        said += &server.end().expect(0).err;
        assert_eq!(found(&said, &secrets), Vec::<String>::new());
        assert_eq!(secrets.iter().filter(|secret| secret.starts_with("rsh_")).count(), 1, "one token is shown");
    }
}
