//! `Idempotency-Key`: what is sent again is answered again, and done once.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use futures_util::future::join_all;
use reelshelf::{
    db::{Row, idempotency},
    domain::{Role, UserId},
    http::Settings,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, HANGS, Kind, PASSWORD, Service, movie, signing_in::secret},
};

/// How long an answer is kept, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A request that writes: path, media type and body.
#[derive(Clone)]
struct Write {
    path: String,
    media_type: &'static str,
    body: String,
}

impl Write {
    fn of(path: &str, media_type: &'static str, body: &str) -> Self {
        Self { path: path.to_owned(), media_type, body: body.to_string() }
    }

    fn json(path: &str, body: &Value) -> Self {
        Self::of(path, "application/json", &body.to_string())
    }

    /// The request of the owner.
    fn request(&self, service: &Service) -> RequestBuilder {
        self.request_as(&service.owner, service)
    }

    fn request_as(&self, token: &str, service: &Service) -> RequestBuilder {
        let request = service.request_as(token, Method::POST, &self.path);
        request.header("content-type", self.media_type).body(self.body.clone())
    }

    async fn send(&self, service: &Service, key: &str) -> Answer {
        Answer::of(self.request(service).header("idempotency-key", key)).await
    }
}

fn heat() -> Write {
    Write::json("/movie", &movie("Heat", "DVD", 170, 1995, 5))
}

fn csv(rows: &str) -> Write {
    Write::of("/movie", "text/csv", &format!("title,movieFormat,length,releaseYear,rating\n{rows}"))
}

fn user(name: &str) -> Write {
    Write::json("/user", &json!({"name": name, "role": "viewer", "password": PASSWORD}))
}

fn batch() -> Write {
    let create = |title| json!({"op": "create", "movie": movie(title, "DVD", 162, 1985, 5)});
    Write::json("/movie/batch", &json!({"operations": [create("Ran"), create("Ikiru")]}))
}

/// Every operation that takes a key, each of which can be done at once; they begin with the undoing
/// of the first change.
async fn writes(service: &Service) -> Vec<Write> {
    service.add("Alien", "VHS", 117, 1979, 4).await;
    let ndjson = movie("Stalker", "VHS", 161, 1979, 5).to_string() + "\n";
    vec![
        Write::of("/history/1/undo", "", ""),
        heat(),
        csv("Persona,DVD,83,1966,4\nMon Oncle,DVD,117,1958,4\n"),
        Write::of("/movie?onDuplicate=add", "application/x-ndjson", &ndjson),
        Write::json("/token", &json!({"name": "laptop"})),
        user("wanda"),
        batch(),
    ]
}

/// What there is: movies, changes, tokens and users.
async fn stored(service: &Service) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/movie", "/history", "/token", "/user"] {
        all.push(service.get(path).await.json());
    }
    all
}

/// The answer was given before: nothing differs but what belongs to this very transmission.
#[track_caller]
fn same(first: &Answer, again: &Answer) {
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id").expect("a request id");
        headers.remove("date");
        headers
    };
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(headers(first), headers(again));
}

on_both! {
    async fn what_is_sent_again_is_answered_again_and_done_once(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        for (n, write) in writes(service).await.iter().enumerate() {
            let key = format!("key-{n}");
            let first = write.send(service, &key).await;
            assert!((200..300).contains(&first.status), "{}: {first:?}", write.path);
            let after = stored(service).await;
            // What was made may have become something else since.
            service.pass_millis(1000);
            for instance in [service, &other, service] {
                same(&first, &write.send(instance, &key).await);
            }
            assert_eq!(stored(service).await, after, "{}", write.path);
        }
        let answer = heat().send(service, "location").await;
        assert_eq!(answer.header("location"), format!("/movie/{}", answer.json()["id"]));
        assert_eq!(answer.header("etag"), "\"1\"");
        service.patch(answer.header("location"), &json!({"rating": 1})).await;
        service.delete(answer.header("location")).await;
        same(&answer, &heat().send(service, "location").await);
    }
}

on_both! {
    async fn of_those_that_arrive_together_one_is_done(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        for (n, write) in writes(service).await.iter().enumerate() {
            let before = stored(service).await;
            let key = format!("key-{n}");
            let instances = [service, service, &other, service, &other, &other];
            let answers = join_all(instances.map(|instance| write.send(instance, &key))).await;
            for again in &answers {
                assert!((200..300).contains(&again.status), "{}: {again:?}", write.path);
                same(&answers[0], again);
            }
            let after = stored(service).await;
            let of = |all: &[Value]| all.iter().map(|list| list.as_array().map_or(0, Vec::len)).collect::<Vec<_>>();
            let grown: Vec<usize> = of(&after).iter().zip(of(&before)).map(|(after, before)| after.abs_diff(before)).collect();
            let expected: [usize; 4] = match write.path.as_str() {
                "/movie" if write.media_type == "text/csv" => [2, 1, 0, 0],
                "/token" => [0, 0, 1, 0],
                "/user" => [0, 0, 0, 1],
                "/movie/batch" => [2, 1, 0, 0],
                _ => [1, 1, 0, 0],
            };
            assert_eq!(grown, expected, "{}", write.path);
        }
    }
}

on_both! {
    async fn a_key_stands_for_one_request(service: &Service) {
        let mut writes = writes(service).await;
        for (n, write) in writes.iter().enumerate() {
            let first = write.send(service, &format!("key-{n}")).await;
            assert!((200..300).contains(&first.status), "{}: {first:?}", write.path);
        }
        let after = stored(service).await;
        let film = |body: &str| Write { body: body.to_owned(), ..heat() };
        writes.extend([
            Write { path: "/history/2/undo".to_owned(), ..writes[0].clone() },
            Write { body: " ".to_owned(), ..writes[0].clone() },
            film(&heat().body.replace("170", "171")),
            film(&(heat().body + " ")),
            Write { path: "/movie?onError=skip".to_owned(), ..writes[2].clone() },
            Write { path: "/movie?".to_owned(), ..writes[2].clone() },
            Write { media_type: "application/x-ndjson", ..heat() },
            csv("Persona,DVD,83,1966,4\nMon Oncle,DVD,117,1958,5\n"),
            user("wanda2"),
            Write::json("/token", &json!({"name": "phone"})),
        ]);
        for (n, write) in writes.iter().enumerate() {
            for key in (0..7).filter(|key| *key != n) {
                let answer = write.send(service, &format!("key-{key}")).await;
                let problem = answer.problem(422);
                assert!(problem["detail"].as_str().expect("a detail").contains("Idempotency-Key"), "{problem}");
            }
        }
        assert_eq!(stored(service).await, after);
        // What is not part of the request: how its sender is signed in, and parameters of the media type.
        let again = Write { media_type: "Application/JSON; charset=utf-8", ..heat() };
        let session = service.session_of("owner").await;
        for request in [
            again.request(service),
            service.request_in(&session, Method::POST, "/movie").header("content-type", "application/json").body(heat().body),
        ] {
            let answer = Answer::of(request.header("idempotency-key", "key-1")).await;
            assert_eq!((answer.status, answer.json()["title"].as_str()), (201, Some("Heat")), "{answer:?}");
        }
        assert_eq!(stored(service).await, after);
    }
}

on_both! {
    async fn each_user_has_keys_of_their_own(service: &Service) {
        let mut ids = Vec::new();
        for token in [&service.owner, &service.editor] {
            for _ in 0..2 {
                let request = heat().request_as(token, service).header("idempotency-key", "same");
                ids.push(Answer::of(request).await.json()["id"].clone());
            }
        }
        assert_eq!(ids[0], ids[1]);
        assert_eq!(ids[2], ids[3]);
        assert_ne!(ids[0], ids[2]);
        let lamp = Write::json("/movie", &movie("Lamp", "DVD", 1, 1995, 5));
        let token = service.add_user("erna", Role::Editor).await;
        let answer = Answer::of(lamp.request_as(&token, service).header("idempotency-key", "same")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

on_both! {
    async fn who_may_not_any_more_is_not_answered_again(service: &Service) {
        let write = |token: &str| heat().request_as(token, service).header("idempotency-key", "k");
        assert_eq!(Answer::of(write(&service.editor)).await.status, 201);
        service.patch("/user/editor", &json!({"role": "viewer"})).await;
        Answer::of(write(&service.editor)).await.problem(403);
        // Nor does a narrowed token get at the token that its user made.
        let new = Write::json("/token", &json!({"name": "laptop"}));
        assert_eq!(new.send(service, "token").await.status, 201);
        let narrowed = service.token_as(&service.owner, &json!({"name": "x", "role": "viewer"})).await;
        let request = new.request_as(secret(&narrowed), service).header("idempotency-key", "token");
        Answer::of(request).await.problem(403);
    }
}

on_both! {
    async fn an_answer_is_kept_for_24_hours(service: &Service) {
        let first = heat().send(service, "k").await;
        service.pass_millis(DAY - 1);
        same(&first, &heat().send(service, "k").await);
        service.pass_millis(1);
        let second = heat().send(service, "k").await;
        assert_ne!(second.json()["id"], first.json()["id"]);
        service.pass_millis(DAY - 1);
        same(&second, &heat().send(service, "k").await);
        service.pass_millis(1);
        let lamp = Write::json("/movie", &movie("Lamp", "DVD", 1, 1995, 5));
        assert_eq!(lamp.send(service, "k").await.json()["title"], "Lamp");
    }
}

on_both! {
    async fn what_is_kept_no_longer_is_removed_little_by_little(service: &Service) {
        let kept = async |expected: i64| {
            let mut conn = service.app.db.read().await.unwrap();
            let counted = conn.query("SELECT count(*) FROM idempotency_keys", &[], |row| row.get::<i64>(0)).await;
            assert_eq!(counted.unwrap(), [expected]);
        };
        for n in 0..150 {
            assert_eq!(heat().send(service, &format!("old-{n}")).await.status, 201);
        }
        service.pass_millis(DAY - 1);
        heat().send(service, "younger").await;
        kept(151).await;
        service.pass_millis(1);
        heat().send(service, "old-0").await; // it takes the place of the one that was
        kept(51).await;
        heat().send(service, "younger").await;
        kept(51).await;
        heat().send(service, "new").await;
        kept(3).await;
    }
}

on_both! {
    async fn what_was_refused_can_be_mended_and_sent_again(service: &Service) {
        let undo = |n: u8| Write::of(&format!("/history/{n}/undo"), "", "");
        for (n, (refused, status, mended)) in [
            (Write { body: heat().body.replace("170", "501"), ..heat() }, 422, heat()),
            (Write { body: "{".to_owned(), ..heat() }, 400, heat()),
            (csv("Heat,DVD,170,1995,6\n"), 422, csv("Heat,DVD,170,1995,5\n")),
            (Write::json("/token", &json!({"name": "x", "expiresAt": "2020-01-01T00:00:00Z"})), 422,
                Write::json("/token", &json!({"name": "x"}))),
            (user("Owner"), 409, user("wanda")),
            (undo(99), 404, undo(1)),
            (undo(1), 409, undo(2)),
        ].iter().enumerate() {
            let key = format!("key-{n}");
            for _ in 0..2 {
                refused.send(service, &key).await.problem(*status);
            }
            let first = mended.send(service, &key).await;
            assert!((200..300).contains(&first.status), "{}: {first:?}", mended.path);
            same(&first, &mended.send(service, &key).await);
        }
    }
}

on_both! {
    async fn a_trial_keeps_nothing(service: &Service) {
        let trial = Write { path: "/movie?dryRun=true".to_owned(), ..csv("Heat,DVD,170,1995,5\n") };
        let answer = trial.send(service, "k").await;
        assert_eq!((answer.status, &answer.json()["dryRun"]), (200, &json!(true)), "{answer:?}");
        let done = csv("Heat,DVD,170,1995,5\n").send(service, "k").await;
        assert_eq!((done.status, &done.json()["created"]), (200, &json!(1)), "{done:?}");
        let answer = trial.send(service, "k").await;
        assert_eq!((answer.status, &answer.json()["skipped"]), (200, &json!(1)), "{answer:?}");
    }
}

on_both! {
    async fn an_import_that_changed_nothing_does_not_change_anything_later(service: &Service) {
        let movie = service.add("Heat", "DVD", 170, 1995, 5).await;
        let import = Write { path: "/movie?onError=skip".to_owned(), ..csv("Heat,DVD,170,1995,5\nHeat,DVD,x,1995,9\n") };
        let first = import.send(service, "k").await;
        let report = first.json();
        assert_eq!((first.status, &report["skipped"], &report["change"]), (200, &json!(1), &Value::Null), "{first:?}");
        assert_eq!(report["errors"].as_array().map(Vec::len), Some(2), "{first:?}");
        let history = service.get("/history").await.json();
        assert_eq!(history.as_array().map(Vec::len), Some(1), "{history}");
        service.delete(&format!("/movie/{}", movie["id"])).await;
        same(&first, &import.send(service, "k").await);
        assert_eq!(service.get("/movie").await.json(), json!([]));
    }
}

on_both! {
    async fn key_and_write_are_stored_together_or_not_at_all(service: &Service) {
        let database = &service.database;
        let token = Write::json("/token", &json!({"name": "laptop"}));
        let import = Write { path: "/movie?onDuplicate=add".to_owned(), ..csv("Solaris,DVD,167,1972,5\nHeat,DVD,170,1995,5\n") };
        for write in [heat(), token.clone(), user("wanda")] {
            assert_eq!(write.send(service, "first").await.status, 201);
            service.pass_millis(DAY); // that key is free again
        }
        heat().send(service, "kept").await;
        let before = stored(service).await;
        let heats = "movie_rows (title) WHERE id > 1 AND title = 'Heat'";
        let laptops = "tokens (user_id) WHERE name = 'laptop'";
        let keys = "idempotency_keys (user_id) WHERE result IS NOT NULL";
        for (in_the_way, write) in [
            // The write fails when its key is stored already …
            (heats, &heat()),
            (heats, &import),
            (laptops, &token),
            // … or the key when the write is done already.
            (keys, &heat()),
            (keys, &import),
            (keys, &token),
            (keys, &user("wim")),
        ] {
            database.execute(&format!("CREATE UNIQUE INDEX in_the_way ON {in_the_way}")).await.unwrap();
            write.send(service, &write.path).await.problem(500);
            database.execute("DROP INDEX in_the_way").await.unwrap();
            assert_eq!(stored(service).await, before, "{in_the_way}: {}", write.path);
        }
        for write in [&heat(), &user("wim")] {
            let mended = write.send(service, &write.path).await;
            assert_eq!(mended.status, 201, "{mended:?}");
            same(&mended, &write.send(service, &write.path).await);
        }
    }
}

on_both! {
    async fn what_is_kept_tells_nothing_without_the_key(service: &Service) {
        let key = "9c5e7a61-8d5f-4a46-a1f7-2b1f0e6f0c11";
        let made = Write::json("/token", &json!({"name": "a name to be found"})).send(service, key).await;
        let token = secret(&made.json()).to_owned();
        assert_eq!(user("wanda").send(service, "another-key").await.status, 201);
        let sql = "SELECT key, result FROM idempotency_keys";
        let read = |row: &Row<'_>| Ok([row.get::<String>(0)?, row.get(1)?]);
        let kept = service.app.db.read().await.unwrap().query(sql, &[], read).await.unwrap();
        assert_eq!(kept.len(), 2);
        let decode = |text: &String| STANDARD_NO_PAD.decode(text).expect("base64");
        let decoded = kept.as_flattened().iter().map(decode).collect::<Vec<_>>().concat();
        let stored = service.database.dump().await + &String::from_utf8_lossy(&decoded);
        assert!(stored.contains("a name to be found"));
        for secret in [&token[4..], "rsh_", key, "another-key", PASSWORD] {
            assert!(!stored.contains(secret), "{secret}");
        }
        assert!(!String::from_utf8_lossy(&decoded).contains("wanda"));
    }
}

/// On SQLite everybody waits for the one writer anyway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_nobody_waits_for_a_write_with_another_key() {
    let service = Service::start(Kind::Postgres).await;
    heat().send(&service, "old").await;
    service.pass_millis(DAY);
    let now = service.app.now();
    let mut long = service.app.db.write().await.unwrap();
    assert!(idempotency::take(long.conn(), UserId::from_stored(2), "of the editor", now, now).await.unwrap());
    idempotency::remove_expired(long.conn(), now - Duration::from_millis(DAY.unsigned_abs())).await.unwrap();
    let others = async {
        assert_eq!(heat().send(&service, "new").await.status, 201);
        assert_eq!(service.delete("/user/editor").await.status, 204);
    };
    tokio::time::timeout(HANGS, others).await.expect("nobody waits");
    long.commit().await.unwrap();
}

on_both! {
    async fn a_key_has_1_to_255_visible_characters(service: &Service) {
        for (key, valid) in [
            ("!", true),
            ("~", true),
            ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", true),
            (&"k".repeat(255), true),
            (&"k".repeat(256), false),
            ("", false),
            ("two words", false),
            ("tab\tbed", false),
            ("Schlüssel", false),
        ] {
            for write in [heat(), csv("Heat,DVD,170,1995,5\n"), Write::of("/history/99/undo", "", ""),
                Write::json("/token", &json!({})), user("Owner")] {
                let answer = write.send(service, key).await;
                assert_eq!(answer.status != 400, valid, "{key:?}: {answer:?}");
                if !valid {
                    let problem = answer.problem(400);
                    assert!(problem["detail"].as_str().expect("a detail").contains("Idempotency-Key"), "{problem}");
                }
            }
        }
        let twice = heat().request(service).header("idempotency-key", "a").header("idempotency-key", "a");
        Answer::of(twice).await.problem(400);
    }
}
