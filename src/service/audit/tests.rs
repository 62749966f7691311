//! Tests of repeated rejections in the audit log.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use serde_json::Value;

use super::RequestContext;
use crate::{
    db::Db,
    domain::Time,
    service::{App, Error, auth},
};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn attempts_beyond_the_limit_are_counted_in_one_line_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("films.db").display());
    let clock = Arc::new(AtomicI64::new(1_000_000));
    let now = clock.clone();
    let now = move || Time::from_millis(now.load(Ordering::SeqCst));
    let app = App::new(Db::open(&database).await.unwrap(), Arc::new(now));
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || lines.clone()).finish();
    let _installed = tracing::subscriber::set_default(subscriber);

    let request = RequestContext { address: "192.0.2.1".parse().unwrap(), id: "1".into() };
    for attempt in 0..8 {
        let refused = auth::basic(&app, request.clone(), "nobody", "hunter2").await.unwrap_err();
        assert_eq!(matches!(refused, Error::TooManyAttempts { .. }), attempt >= 5, "{attempt}: {refused}");
    }
    clock.fetch_add(60_000, Ordering::SeqCst);
    app.audit_repeated();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let counts = |detail: &str| -> Vec<u64> {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"].clone());
        let about = lines.filter(|line| line["event"] == "user.sign_in" && line["detail"] == detail);
        about.map(|line| line["count"].as_u64().unwrap()).collect()
    };
    assert_eq!(counts("unknown user"), [1; 5], "{log}");
    assert_eq!(counts("too many attempts"), [1, 2], "the first at once, the others when the minute is over");
    assert!(!log.contains("hunter2") && !log.contains("nobody"), "{log}");
}
