//! The log on standard error: machine-readable and without secrets.

use reqwest::Method;
use serde_json::{Value, json};

use super::{add_user, token};
use crate::{
    on_both,
    support::{Answer, PASSWORD, TestDatabase, movie, program::Program},
};

const WRONG: &str = "a wrong password for olivia";
const NEW: &str = "one more shelf of tapes";

/// Signs in in every way, with correct and wrong secrets. Returns all secrets.
async fn sign_in_in_every_way(server: &Program) -> Vec<String> {
    let code = server.setup_code();
    let page = server.request(Method::GET, "/setup");
    assert_eq!(Answer::of(page).await.status, 200);
    let setup = json!({"code": code, "name": "olivia", "password": PASSWORD});
    let set_up = Answer::of(server.request(Method::POST, "/setup").json(&setup)).await;
    let login = json!({"name": "olivia", "password": PASSWORD});
    let signed_in = Answer::of(server.request(Method::POST, "/login").json(&login)).await;
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", "olivia"), ("password", WRONG)])
        .finish();
    let form = server.request(Method::POST, "/login").body(form);
    let failed = Answer::of(form.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!((set_up.status, signed_in.status, failed.status), (201, 200, 401));
    let [first, second] = [set_up, signed_in].map(|answer| {
        let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        cookie.strip_prefix("reelshelf_session=").expect("its value").to_owned()
    });
    let with_cookie = |method, path: &str| {
        server.request(method, path).header("cookie", format!("reelshelf_session={second}"))
    };
    let made = Answer::of(with_cookie(Method::POST, "/token").json(&json!({"name": "laptop"}))).await;
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let add = server.request(Method::POST, "/movie").bearer_auth(&token);
    assert_eq!(Answer::of(add.json(&movie("Heat", "DVD", 170, 1995, 5))).await.status, 201);
    for (user, password, status) in
        [("olivia", PASSWORD, 200), ("olivia", WRONG, 401), (WRONG, PASSWORD, 401)]
    {
        let basic = server.request(Method::GET, "/movie").basic_auth(user, Some(password));
        assert_eq!(Answer::of(basic).await.status, status);
    }
    let made_up = server.request(Method::GET, "/movie").bearer_auth("rsh_made-up-by-somebody");
    assert_eq!(Answer::of(made_up).await.status, 401);
    let search = Answer::of(with_cookie(Method::GET, "/movie?q=whatsomebodysearches")).await;
    assert_eq!(search.status, 200);
    let change =
        with_cookie(Method::PATCH, "/me").json(&json!({"presentPassword": PASSWORD, "password": NEW}));
    assert_eq!(Answer::of(change).await.status, 200);
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("olivia:{PASSWORD}"));
    let more =
        [PASSWORD, WRONG, NEW, "rsh_made-up-by-somebody", "whatsomebodysearches", &basic].map(str::to_owned);
    [vec![code, first, second, token], more.to_vec()].concat()
}

/// Returns the password in a database address.
fn database_password(database: &TestDatabase) -> Option<String> {
    let (user, _) = database.address.strip_prefix("postgres://")?.split_once('@')?;
    Some(user.split_once(':')?.1.to_owned())
}

on_both! {
    async fn no_secret_is_in_the_log_however_much_is_logged(database: TestDatabase) {
        for (format, level) in [("text", "info"), ("text", "trace"), ("json", "trace")] {
            let server = Program::start_with(&database, &["--log-format", format], &[("RUST_LOG", level)]);
            let mut secrets = sign_in_in_every_way(&server).await;
            secrets.extend(database_password(&database));
            let log = server.end().expect(0).err;
            let code = secrets.remove(0);
            assert_eq!(log.matches(&code).count(), 1, "{level}: the code, where it is announced");
            for secret in secrets {
                let line = log.lines().find(|line| line.contains(&secret));
                assert_eq!(line, None, "{format}, {level}");
            }
            database.execute("DELETE FROM users").await.unwrap();
        }
    }
}

on_both! {
    async fn every_line_of_a_json_log_is_an_object(database: TestDatabase) {
        let server = Program::start_with(
            &database,
            &["--log-format", "json"],
            &[("RUST_LOG", "reelshelf=debug,info")],
        );
        sign_in_in_every_way(&server).await;
        let live = Answer::of(server.request(Method::GET, "/health/live?a=b")).await;
        let done = server.end().expect(0);
        let lines: Vec<Value> =
            done.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(lines.len() > 10, "{done:?}");
        for line in &lines {
            assert!(["ERROR", "WARN", "INFO", "DEBUG"].iter().any(|level| line["level"] == *level), "{line}");
            assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
        }
        let of = |line: &&Value| line["span"]["id"] == live.header("x-request-id");
        let answered = lines.iter().find(of).expect("the request, under its id");
        assert_eq!(answered["fields"]["status"], 200, "{answered}");
        assert_eq!(
            (&answered["span"]["method"], &answered["span"]["path"]),
            (&json!("GET"), &json!("/health/live"))
        );
    }
}

on_both! {
    async fn what_an_answer_does_not_tell_is_in_the_log_under_its_id(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        database.execute("ALTER TABLE changes RENAME TO hidden").await.unwrap();
        let failed = Answer::of(server.request(Method::GET, "/movie/1").bearer_auth(&token)).await;
        failed.problem(500);
        let line = server.await_log(failed.header("x-request-id"));
        assert!(line.contains("ERROR") && line.contains("changes") && line.contains("/movie/1"), "{line}");
    }
}
