//! Authentication and authorization of all operations.

use base64::{Engine, engine::general_purpose::STANDARD};
use reelshelf::{domain::Role, service::auth::Secret};
use reqwest::{Method, RequestBuilder, header::HeaderValue};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, signing_in::secret},
};

pub const HEAT: &str = r#"{"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5}"#;

/// Returns every operation of the API description: method, path, and whether it is public.
pub async fn operations(service: &Service) -> Vec<(Method, String, bool)> {
    let description = Answer::of(service.anonymous(Method::GET, "/openapi.json")).await.json();
    let paths = description["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
            let operation = &item[method.as_str().to_lowercase()];
            if operation.is_object() {
                operations.push((method, path.clone(), operation["security"].is_array()));
            }
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

/// Returns the schemes of the `WWW-Authenticate` challenges.
fn challenges(answer: &Answer) -> Vec<&str> {
    let values = answer.headers.get_all("www-authenticate").iter();
    let mut schemes: Vec<&str> = values.filter_map(|value| value.to_str().ok()?.split(' ').next()).collect();
    schemes.sort_unstable();
    schemes
}

on_both! {
    async fn a_page_is_not_challenged_even_without_a_session(service: &Service) {
        let host = service.base.trim_start_matches("http://");
        let other = "http://films.example";
        for (name, value, is_page) in [
            ("sec-fetch-site", "same-origin", true), ("sec-fetch-site", "cross-site", false),
            ("origin", &*service.base, true), ("origin", other, false), ("origin", "null", false),
            ("referer", &*format!("{}/film/1", service.base), true), ("referer", &*format!("{other}/?{host}"), false),
        ] {
            for path in ["/me", "/events"] {
                let answer = Answer::of(service.anonymous(Method::GET, path).header(name, value)).await;
                answer.problem(401);
                assert_eq!(challenges(&answer).is_empty(), is_page, "{path} {name}: {value}");
            }
        }
    }
}

on_both! {
    async fn what_is_closed_answers_401_and_names_the_ways_in(service: &Service) {
        let mut closed: Vec<(Method, String)> = operations(service)
            .await
            .into_iter()
            .filter_map(|(method, path, open)| (!open).then_some((method, path)))
            .collect();
        let more =
            ["/nothing", "/movie/", "/user/owner", "/docs2", "/health", "/health/", "/loginx", "/setup/x"];
        closed.extend(more.map(|path| (Method::GET, path.to_owned())));
        closed.push((Method::PUT, "/movie".to_owned()));
        for (method, path) in closed {
            for authorization in ["", "Bearer rsh_unknown", "Basic b3duZXI="] {
                let mut request = service.anonymous(method.clone(), &path);
                if !authorization.is_empty() {
                    request = request.header("authorization", authorization);
                }
                let answer = Answer::of(request).await;
                answer.problem(401);
                assert_eq!(challenges(&answer), ["Basic", "Bearer"], "{method} {path}: {answer:?}");
            }
        }
    }
}

on_both! {
    async fn a_malformed_authorization_lets_nobody_in(service: &Service) {
        let token = &service.owner;
        let basic = |pair: &[u8]| format!("Basic {}", STANDARD.encode(pair)).into_bytes();
        let right = format!("owner:{PASSWORD}");
        for malformed in [
            Vec::new(),
            b"Bearer".to_vec(),
            b"Bearer ".to_vec(),
            b"Basic".to_vec(),
            b"Basic !!!".to_vec(),
            b"Bearer \xff".to_vec(),
            basic(b""),
            basic(b":"),
            basic(b"owner"),
            basic(b"owner:"),
            basic(b"owner:\xff"),
            basic(b"\xff:x"),
            basic(b"owner\0:x"),
            basic(format!("{right}\0").as_bytes()),
            format!("Basic {right}").into_bytes(),
            format!("Digest {}", STANDARD.encode(&right)).into_bytes(),
            token.clone().into_bytes(),
            format!("Bearer{token}").into_bytes(),
            format!("Bearer {token} {token}").into_bytes(),
            format!("Bearer {token},").into_bytes(),
            format!("Bearer \"{token}\"").into_bytes(),
            format!("Bearer {}", token.to_uppercase()).into_bytes(),
            format!("Bearer {}", &token[..token.len() - 1]).into_bytes(),
            format!("Bearer {}", &token[4..]).into_bytes(),
            format!("Token {token}").into_bytes(),
            format!("Bearer {}", Secret::presented(token).hash()).into_bytes(), // as it is stored
        ] {
            let shown = String::from_utf8_lossy(&malformed).into_owned();
            let value = HeaderValue::from_bytes(&malformed).expect("a header");
            let answer =
                Answer::of(service.anonymous(Method::GET, "/me").header("authorization", value)).await;
            answer.problem(401);
            assert_eq!(challenges(&answer), ["Basic", "Bearer"], "{shown}");
            service.pass_millis(60_000); // so that no throttle stands before the check
        }
        let in_the_query = service.anonymous(Method::GET, &format!("/me?access_token={token}&token={token}"));
        Answer::of(in_the_query).await.problem(401);
    }
}

on_both! {
    async fn a_page_is_not_asked_for_basic(service: &Service) {
        let site = |site: &'static str| ("sec-fetch-site", site);
        for (header, asked) in [
            (site("same-origin"), false),
            (("cookie", "a=b; reelshelf_session=ended"), false),
            (("cookie", "a=b"), true),
            (site("none"), true),
            (site("cross-site"), true),
        ] {
            let expected: &[&str] = if asked { &["Basic", "Bearer"] } else { &[] };
            let answer =
                Answer::of(service.anonymous(Method::GET, "/movie").header(header.0, header.1)).await;
            answer.problem(401);
            assert_eq!(challenges(&answer), expected, "{header:?}");
        }
        let wrong = json!({"name": "owner", "password": "wrong"});
        for (from, expected) in [("none", &["Basic", "Bearer"][..]), ("same-origin", &[])] {
            let request =
                service.anonymous(Method::POST, "/login").header("sec-fetch-site", from).json(&wrong);
            let answer = Answer::of(request).await;
            answer.problem(401);
            assert_eq!(challenges(&answer), expected, "{from}");
        }
        let form = service.anonymous(Method::POST, "/login").body("name=owner&password=wrong");
        let answer = Answer::of(form.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!((answer.status, challenges(&answer)), (401, Vec::new()));
        let page = Answer::of(service.anonymous(Method::GET, "/")).await;
        assert_eq!((page.status, page.header("location")), (303, "/login?next=%2F"));
        assert_eq!(challenges(&page), Vec::<&str>::new());
    }
}

on_both! {
    async fn a_few_addresses_are_open(service: &Service) {
        for path in [
            "/login",
            "/health/live",
            "/health/ready",
            "/openapi.json",
            "/docs/",
            "/docs/swagger-ui.css",
            "/assets/any/style.css",
            "/assets/any/icon.svg",
        ] {
            let answer = Answer::of(service.anonymous(Method::GET, path)).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let unknown = service.request_as("rsh_unknown", Method::GET, path);
            assert_eq!(Answer::of(unknown).await.status, 200, "{path}");
        }
        for (method, path, open) in operations(service).await {
            let for_everybody = ["/health/live", "/health/ready", "/login", "/setup"];
            assert_eq!(open, for_everybody.contains(&path.as_str()), "{method} {path}");
        }
        let setup = Answer::of(service.anonymous(Method::GET, "/setup?code=x")).await;
        assert_eq!((setup.status, setup.header("location")), (303, "/login"), "there is an owner");
    }
}

/// Every protected operation with its body, the least role, and the expected status.
fn matrix() -> Vec<(Method, &'static str, &'static str, Role, u16)> {
    use Role::{Editor, Owner, Viewer};
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    let csv = "title,movieFormat,length,releaseYear,rating\nAlien,DVD,117,1979,5\n";
    let batch = r#"{"operations":[{"op":"update","id":1,"changes":{"rating":2}}]}"#;
    let user = r#"{"name":"olivia","role":"owner","password":"a shelf full of tapes"}"#;
    let same = r#"{"presentPassword":"a shelf full of tapes","password":"a shelf full of tapes"}"#;
    vec![
        (get.clone(), "/movie", "", Viewer, 200),
        (post.clone(), "/movie", HEAT, Editor, 201),
        (post.clone(), "/movie", csv, Editor, 200),
        (post.clone(), "/movie/batch", batch, Editor, 200),
        (get.clone(), "/movie/random", "", Viewer, 200),
        (get.clone(), "/movie/{id}", "", Viewer, 200),
        (patch.clone(), "/movie/{id}", r#"{"rating":1}"#, Editor, 200),
        (delete.clone(), "/movie/{id}", "", Editor, 204),
        (get.clone(), "/movie/{id}/history", "", Viewer, 200),
        (get.clone(), "/stats", "", Viewer, 200),
        (get.clone(), "/events", "", Viewer, 200),
        (get.clone(), "/history", "", Viewer, 200),
        (get.clone(), "/history/{change}", "", Viewer, 200),
        (post.clone(), "/history/{change}/undo", "", Editor, 200),
        (get.clone(), "/me", "", Viewer, 200),
        (patch.clone(), "/me", same, Viewer, 200),
        (post.clone(), "/logout", "", Viewer, 204),
        (get.clone(), "/session", "", Viewer, 200),
        (delete.clone(), "/session/{id}", "", Viewer, 204),
        (get.clone(), "/token", "", Viewer, 200),
        (post.clone(), "/token", r#"{"name":"laptop"}"#, Viewer, 201),
        (delete.clone(), "/token/{id}", "", Viewer, 204),
        (get.clone(), "/user", "", Owner, 200),
        (post, "/user", user, Owner, 201),
        (get.clone(), "/user/{name}", "", Owner, 200),
        (patch, "/user/{name}", r#"{"role":"editor"}"#, Owner, 200),
        (delete.clone(), "/user/{name}", "", Owner, 204),
        (get.clone(), "/user/{name}/session", "", Owner, 200),
        (delete.clone(), "/user/{name}/session/{id}", "", Owner, 204),
        (get, "/user/{name}/token", "", Owner, 200),
        (delete, "/user/{name}/token/{id}", "", Owner, 204),
    ]
}

/// Replaces the parameters of a path by ids of the caller's own objects.
async fn with_a_target(service: &Service, role: Role, token: &str, method: &Method, path: &str) -> String {
    let Some((noun, rest)) = path.split_once("/{") else { return path.to_owned() };
    let (_, rest) = rest.split_once('}').expect("what is opened is closed");
    let name = match noun {
        "/movie" => service.add("Heat", "DVD", 170, 1995, 5).await["id"].to_string(),
        "/history" => {
            service.add("Heat", "DVD", 170, 1995, 5).await;
            service.get("/history").await.json()[0]["id"].to_string()
        }
        "/token" => service.token_as(token, &json!({"name": "to be revoked"})).await["id"].to_string(),
        "/session" => {
            service.session_of(role.as_str()).await;
            let sessions = Answer::of(service.request_as(token, Method::GET, "/session")).await.json();
            sessions[0]["id"].to_string()
        }
        _ => {
            let what = rest.split('/').nth(1).unwrap_or("itself");
            let name = format!("{}-{}-{what}", role.as_str(), method.as_str());
            service.add_user(&name, Role::Viewer).await;
            if let Some((list, _)) = rest.split_once("/{id}") {
                service.session_of(&name).await;
                let id = service.get(&format!("{noun}/{name}{list}")).await.json()[0]["id"].clone();
                return format!("{noun}/{name}{list}/{id}");
            }
            name
        }
    };
    format!("{noun}/{name}{rest}")
}

on_both! {
    async fn each_role_may_what_it_may_and_nothing_more(service: &Service) {
        let mut described: Vec<String> = operations(service)
            .await
            .into_iter()
            .filter_map(|(method, path, open)| (!open).then(|| format!("{method} {path}")))
            .collect();
        described.sort();
        let mut known: Vec<String> =
            matrix().iter().map(|(method, path, ..)| format!("{method} {path}")).collect();
        known.sort();
        known.dedup();
        assert_eq!(known, described, "every operation has its line in the matrix");

        service.add("Heat", "DVD", 170, 1995, 5).await;
        let roles = [&service.viewer, &service.editor, &service.owner];
        for (method, path, body, least, success) in matrix() {
            for (role, token) in Role::ALL.into_iter().zip(roles) {
                let path = with_a_target(service, role, token, &method, path).await;
                let mut request = service.request_as(token, method.clone(), &path);
                if !body.is_empty() {
                    let media_type = if body.starts_with('{') { "application/json" } else { "text/csv" };
                    request = request.header("content-type", media_type).body(body);
                }
                let before = (service.get("/movie").await.text, service.get("/user").await.text);
                let answer = Answer::of(request).await;
                if role >= least {
                    assert_eq!(answer.status, success, "{role:?} {method} {path}: {answer:?}");
                    continue;
                }
                answer.problem(403);
                assert_eq!(challenges(&answer), Vec::<&str>::new(), "{answer:?}");
                let after = (service.get("/movie").await.text, service.get("/user").await.text);
                assert_eq!(after, before, "{role:?} {method} {path}");
            }
        }
    }
}

on_both! {
    async fn who_may_not_is_not_told_what_is_there(service: &Service) {
        for (method, path) in [
            (Method::PATCH, "/user/owner"),
            (Method::PATCH, "/user/nobody"),
            (Method::DELETE, "/user/nobody"),
            (Method::POST, "/user"),
        ] {
            let request = service.request_as(&service.editor, method.clone(), path).body("{");
            let answer = Answer::of(request).await;
            let problem = answer.problem(403);
            assert_eq!(problem["detail"], "this takes the role owner; yours is editor", "{method} {path}");
        }
        for (method, path) in
            [(Method::DELETE, "/movie/99"), (Method::PATCH, "/movie/99"), (Method::POST, "/movie")]
        {
            Answer::of(service.request_as(&service.viewer, method, path).body("{")).await.problem(403);
        }
    }
}

/// Sends a request with each of the three ways to authenticate.
async fn ways(
    service: &Service,
    user: &str,
    token: &str,
    method: &Method,
    path: &str,
) -> [RequestBuilder; 3] {
    [
        service.request_as(token, method.clone(), path),
        service.anonymous(method.clone(), path).basic_auth(user, Some(PASSWORD)),
        service.request_in(&service.session_of(user).await, method.clone(), path),
    ]
}

on_both! {
    async fn each_way_in_leads_to_the_same_check(service: &Service) {
        for (user, token, may_add) in [
            ("viewer", &service.viewer, false),
            ("editor", &service.editor, true),
            ("owner", &service.owner, true),
        ] {
            for way in ways(service, user, token, &Method::GET, "/me").await {
                let answer = Answer::of(way).await;
                assert_eq!((answer.status, answer.json()), (200, json!({"name": user, "role": user})));
            }
            for way in ways(service, user, token, &Method::POST, "/movie").await {
                let answer = Answer::of(way.header("content-type", "application/json").body(HEAT)).await;
                assert_eq!(answer.status, if may_add { 201 } else { 403 }, "{user}: {answer:?}");
            }
        }
    }
}

on_both! {
    async fn the_names_of_schemes_are_written_in_any_case(service: &Service) {
        let pair = STANDARD.encode(format!("owner:{PASSWORD}"));
        for (scheme, credentials) in [
            ("Bearer", &service.owner),
            ("bearer", &service.owner),
            ("BEARER", &service.owner),
            ("Bearer ", &service.owner),
            ("Basic", &pair),
            ("basic", &pair),
            ("bAsIc", &pair),
            ("Basic ", &pair),
        ] {
            let authorization = format!("{scheme} {credentials}");
            let request = service.anonymous(Method::GET, "/me").header("authorization", &authorization);
            let answer = Answer::of(request).await;
            assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some("owner")), "{scheme}");
        }
    }
}

on_both! {
    async fn a_password_may_hold_colons_and_any_letters(service: &Service) {
        let password = "пароль: ünter ☃ :";
        let user = json!({"name": "Zoë", "role": "viewer", "password": password});
        assert_eq!(service.post("/user", &user).await.status, 201);
        for name in ["Zoë", "ZOE", "zoe\u{308}"] {
            let answer = service.me_with(name, password).await;
            assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some("Zoë")), "{name}");
        }
        for wrong in ["пароль: ünter ☃ ", "пароль", "пароль: unter ☃ :", " пароль: ünter ☃ :"]
        {
            service.me_with("Zoë", wrong).await.problem(401);
        }
    }
}

on_both! {
    async fn a_wrong_name_and_a_wrong_password_get_the_same_answer(service: &Service) {
        let same = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            for differing in ["x-request-id", "date"] {
                assert!(headers.remove(differing).is_some(), "{answer:?}");
            }
            (answer.status, headers, answer.text.clone())
        };
        let long = "n".repeat(51);
        let (mut basic, mut json, mut form) = (Vec::new(), Vec::new(), Vec::new());
        for (name, password) in [
            ("owner", "wrong"),
            ("owner", ""),
            ("OWNER", "a shelf full of tapeſ"),
            ("nobody", "wrong"),
            ("nobody", PASSWORD),
            ("", PASSWORD),
            ("no body", PASSWORD),
            ("own\0er", PASSWORD),
            (&long, PASSWORD),
        ] {
            let wrong = service.me_with(name, password).await;
            wrong.problem(401);
            basic.push(same(&wrong));
            let wrong = service.log_in(name, password).await;
            wrong.problem(401);
            assert_eq!(wrong.cookie(), "");
            json.push(same(&wrong));
            service.pass_millis(60_000); // so that no throttle stands before the check
        }
        for name in ["owner", "ownes", "nobod"] {
            let fields =
                service.anonymous(Method::POST, "/login").body(format!("name={name}&password=wrong"));
            let page = Answer::of(fields.header("content-type", "application/x-www-form-urlencoded")).await;
            assert_eq!(page.status, 401, "{page:?}");
            let (status, headers, text) = same(&page);
            assert!(text.contains(name), "the name stands in its field still");
            form.push((status, headers, text.replace(name, "")));
        }
        for answers in [basic, json, form] {
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        }
    }
}

on_both! {
    async fn no_answer_holds_a_password_a_token_or_a_hash(service: &Service) {
        let (short, long) = ("sh0rt-one", "an0ther shelf full of tapes");
        let made = service.token_as(&service.owner, &json!({"name": "laptop"})).await;
        let session = service.session_of("owner").await;
        let (_, cookie) = session.split_once('=').expect("a cookie");
        let login = |password: &str| json!({"name": "owner", "password": password});
        let user = |password: Value| json!({"name": "olivia", "role": "viewer", "password": password});
        let me = |present: &str, new: &str| json!({"presentPassword": present, "password": new});
        let bad_json = |path: &'static str| {
            let request = service.request(Method::POST, path).header("content-type", "application/json");
            Answer::of(request.body(format!("{{\"name\":\"olivia\",\"password\":\"{long}\",}}")))
        };
        let answers = [
            service.log_in("owner", PASSWORD).await,
            service.log_in("owner", long).await,
            service.post("/login", &json!({"name": "owner", "password": 31_415_926_535_i64})).await,
            service.post("/login", &json!({"name": ["owner"], "password": login(long)})).await,
            bad_json("/login").await,
            bad_json("/user").await,
            service.post("/user", &user(json!(short))).await,
            service.post("/user", &user(json!(31_415_926_535_i64))).await,
            service.post("/user", &user(json!(long))).await,
            service.post("/user", &user(json!(long))).await,
            service.get("/user").await,
            service.patch("/user/olivia", &json!({"password": short})).await,
            service.patch("/user/olivia", &json!({"password": 31_415_926_535_i64})).await,
            service.patch("/user/olivia", &json!({"password": PASSWORD})).await,
            service.patch("/me", &me(long, PASSWORD)).await,
            service.patch("/me", &me(PASSWORD, short)).await,
            service.patch("/me", &json!({"presentPassword": 31_415_926_535_i64, "password": false})).await,
            service.me_with("owner", long).await,
            service.me_as(secret(&made)).await,
            service.me_in(&session).await,
            service.get("/token").await,
            service.get("/session").await,
            service.get("/nothing").await,
            service.delete("/user/olivia").await,
            service.patch("/me", &me(PASSWORD, long)).await,
        ];
        let (token, token_hash) = (secret(&made), Secret::presented(secret(&made)).hash());
        let cookie_hash = Secret::presented(cookie).hash();
        for answer in answers {
            assert!(answer.status < 500, "{answer:?}");
            for hidden in [
                PASSWORD,
                short,
                long,
                "31415926535",
                "argon2",
                "rsh_",
                token,
                &token_hash,
                cookie,
                &cookie_hash,
            ] {
                assert!(!answer.text.contains(hidden), "{hidden}: {answer:?}");
            }
        }
    }
}
