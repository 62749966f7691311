//! Collects the secrets that tests send and receive, to search logs for them.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{LazyLock, Mutex},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Request, header::HeaderMap};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Shorter secrets, in characters, occur in other texts by chance.
const SHORTEST: usize = 8;

/// Fields of JSON and forms that contain secrets.
const FIELDS: [&str; 6] = ["password", "presentPassword", "passwordAgain", "code", "token", "secret"];

/// Returns a secret in all forms in which it is sent or stored.
pub fn forms(secret: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()));
    let json = Value::from(secret).to_string();
    vec![secret.to_owned(), encoded, STANDARD.encode(secret), hash, json.trim_matches('"').to_owned()]
}

/// Returns the secrets of a request.
pub fn of_request(request: &Request) -> Vec<String> {
    let mut secrets = Vec::new();
    let text = |name: &str| {
        let values = request.headers().get_all(name).iter();
        values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect::<Vec<_>>()
    };
    for authorization in text("authorization") {
        let credentials =
            authorization.split_once(' ').map_or(&*authorization, |(_, credentials)| credentials);
        secrets.push(credentials.to_owned());
        let pair = STANDARD.decode(credentials).ok().and_then(|pair| String::from_utf8(pair).ok());
        secrets.extend(pair.and_then(|pair| Some(pair.split_once(':')?.1.to_owned())));
    }
    for cookies in text("cookie") {
        secrets.extend(cookies.split(';').filter_map(session).map(str::to_owned));
    }
    secrets.extend(text("idempotency-key"));
    secrets.extend(of_form(request.url().query().unwrap_or_default().as_bytes()));
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    match serde_json::from_slice(body) {
        Ok(json) => of_json(&json, &FIELDS, &mut secrets),
        Err(_) if body.len() < 100_000 => secrets.extend(of_form(body)),
        Err(_) => {}
    }
    secrets
}

/// Returns the secrets of a response.
pub fn of_answer(headers: &HeaderMap, text: &str) -> Vec<String> {
    let cookies = headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut secrets: Vec<String> = cookies.filter_map(session).map(str::to_owned).collect();
    if let Ok(json) = serde_json::from_str(text) {
        of_json(&json, &["token"], &mut secrets);
    }
    let shown = text.split_once("<input id=\"secret\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    secrets.extend(shown.map(|(token, _)| token.to_owned()));
    secrets
}

/// Returns the value of a session cookie.
fn session(cookie: &str) -> Option<&str> {
    let (name, value) = cookie.split(';').next()?.trim().split_once('=')?;
    name.ends_with("reelshelf_session").then_some(value).filter(|value| !value.is_empty())
}

fn of_form(form: &[u8]) -> Vec<String> {
    let fields = form_urlencoded::parse(form).filter(|(name, _)| FIELDS.contains(&&**name));
    fields.map(|(_, value)| value.into_owned()).collect()
}

fn of_json(json: &Value, fields: &[&str], secrets: &mut Vec<String>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| of_json(item, fields, secrets)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if fields.contains(&&**name) => secrets.push(text.clone()),
                    other => of_json(other, fields, secrets),
                }
            }
        }
        _ => {}
    }
}

/// Returns the secrets in a text, in any form, with their lines.
pub fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let forms = secrets.iter().flat_map(|secret| forms(secret)).filter(|form| form.len() >= SHORTEST);
    let line = |form: &String| text.lines().find(|line| line.contains(form)).map(str::to_owned);
    forms.filter_map(|form| line(&form).map(|line| format!("{form}: {line}"))).collect()
}

/// The files of `scripts/secrets-in-log`: the log and all secrets.
struct Files {
    log: Mutex<File>,
    secrets: Mutex<File>,
}

static FILES: LazyLock<Option<Files>> = LazyLock::new(|| {
    let folder = PathBuf::from(std::env::var_os("REELSHELF_TEST_LOG")?);
    let open = |name: &str| {
        let file = OpenOptions::new().create(true).append(true).open(folder.join(name));
        Mutex::new(file.expect("REELSHELF_TEST_LOG names a folder"))
    };
    let files = Files { log: open("log"), secrets: open("secrets") };
    let log = files.log.lock().expect("a file").try_clone().expect("a file");
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(log));
    // Writes what the program would log at the level of RUST_LOG.
    tracing_subscriber::registry()
        .with(layer.with_filter(reelshelf::log::filter(true).expect("a filter")))
        .init();
    Some(files)
});

/// Returns whether the tests run to find secrets in the log.
pub fn are_sought() -> bool {
    FILES.is_some()
}

/// Records secrets.
pub fn note(secrets: &[String]) {
    let Some(files) = &*FILES else { return };
    let forms = secrets.iter().flat_map(|secret| forms(secret));
    // A password of spaces, which is rejected anyway, would match every indented line.
    let is_sought = |form: &String| form.len() >= SHORTEST && !form.contains('\n') && !form.trim().is_empty();
    let lines: String = forms.filter(is_sought).map(|form| form + "\n").collect();
    files.secrets.lock().expect("a file").write_all(lines.as_bytes()).expect("room on the disk");
}

/// Records a log line of the program.
pub fn note_line(line: &str) {
    let Some(files) = &*FILES else { return };
    files.log.lock().expect("a file").write_all(format!("{line}\n").as_bytes()).expect("room on the disk");
}
