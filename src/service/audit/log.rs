//! Writes the audit log.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::{Actor, Event, Refusal, repeated};
use crate::{
    db::WriteTx,
    domain::UserName,
    limits::AUDIT_REPEAT_WAIT,
    service::{App, Error, idempotency::IdempotentTx},
};

/// The log target of audit lines, which `RUST_LOG` does not filter.
pub const TARGET: &str = "audit";

/// The state of the audit log.
#[derive(Default)]
pub struct Log(Mutex<repeated::Repeated>);

impl App {
    /// Logs an event. Call it after the commit.
    pub fn audit(&self, actor: &Actor<'_>, event: &Event<'_>) {
        let line = event.line();
        let (user, address, request_id) = fields(actor);
        let subject = line.subject.as_deref();
        tracing::info!(target: TARGET, parent: None, event = line.event, outcome = "success", user,
            via = &*actor.via, address, request_id, subject, detail = line.detail.as_deref());
    }

    /// Logs a rejected request; `subject` is its target. Repetitions from one address within a minute are
    /// counted, and logged once at the end of the minute.
    pub fn audit_refusal(&self, actor: &Actor<'_>, refusal: Refusal, subject: Option<&str>) {
        if refusal.is_bounded() {
            return repeated::Line::new(actor, refusal, subject).write(1);
        }
        let line = repeated::Line::new(actor, refusal, subject);
        self.write_repeated(|repeated| repeated.note(line, self.now()));
    }

    /// Logs the migrations that were run.
    pub fn audit_migrations(&self, actor: &Actor<'_>) {
        let migrations = self.db.migrations();
        if !migrations.is_empty() {
            self.audit(actor, &Event::DatabaseMigrated { migrations });
        }
    }

    /// Logs the counts of repeated rejections whose minute is over.
    pub fn audit_repeated(&self) {
        self.write_repeated(|repeated| repeated.flush(self.now()));
    }

    /// Logs all remaining counts, and that the service ends.
    pub fn audit_end(&self) {
        self.write_repeated(repeated::Repeated::finish);
        self.audit(&Actor::service(), &Event::ServiceStopped);
    }

    fn write_repeated(&self, lines: impl FnOnce(&mut repeated::Repeated) -> Vec<(repeated::Line, u64)>) {
        let lines = lines(&mut self.audit.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (line, count) in lines {
            line.write(count);
        }
    }
}

pub(super) fn fields<'a>(actor: &Actor<'a>) -> (Option<&'a str>, Option<String>, Option<&'a str>) {
    let request = actor.request;
    (
        actor.user.map(UserName::as_str),
        request.map(|request| request.address.to_string()),
        request.map(|request| &*request.id),
    )
}

/// Commits, and logs the event.
pub async fn commit(tx: WriteTx, app: &App, actor: &Actor<'_>, events: &[Event<'_>]) -> Result<(), Error> {
    tx.commit().await?;
    for event in events {
        app.audit(actor, event);
    }
    Ok(())
}

/// Commits a write with its result, and logs the event.
pub async fn commit_once<T: Serialize>(
    tx: IdempotentTx,
    result: T,
    app: &App,
    actor: &Actor<'_>,
    event: &Event<'_>,
) -> Result<T, Error> {
    let result = tx.commit(result).await?;
    app.audit(actor, event);
    Ok(result)
}

/// Logs the counts of repeated rejections every minute.
pub async fn keep(app: Arc<App>) {
    loop {
        tokio::time::sleep(AUDIT_REPEAT_WAIT).await;
        app.audit_repeated();
    }
}
