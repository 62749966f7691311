//! The audit log: one structured line for each security event.
//!
//! All lines have the same fields; `docs/operating.md` lists them and the events. Operations on users,
//! sessions and tokens commit with [`commit`] or [`commit_once`], which require the event.

mod repeated;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use serde::Serialize;

use super::{App, AuthMethod, Error, Identity, idempotency};
use crate::{
    db::WriteTx,
    domain::{Role, SessionId, Time, TokenId, UserName},
    limits::AUDIT_REPEAT_WAIT,
};

/// The log target of audit lines, which `RUST_LOG` does not filter.
pub const TARGET: &str = "audit";

/// The origin of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The client's address, as reported by trusted proxies.
    pub address: IpAddr,
    /// The request id, also sent as `X-Request-Id`.
    pub id: Arc<str>,
}

/// The user or program that does or attempts something.
#[derive(Debug, Clone)]
pub struct Actor<'a> {
    user: Option<&'a UserName>,
    via: Cow<'static, str>,
    request: Option<&'a RequestContext>,
}

impl<'a> Actor<'a> {
    /// A sign-in with a password. The user is `None` if no user has this name.
    #[must_use]
    pub const fn with_password(user: Option<&'a UserName>, request: &'a RequestContext) -> Self {
        Self { user, via: Cow::Borrowed("password"), request: Some(request) }
    }

    /// An unknown user; `presents` is the kind of credential: `token`, `session` or `setup`.
    #[must_use]
    pub const fn unknown(presents: &'static str, request: &'a RequestContext) -> Self {
        Self { user: None, via: Cow::Borrowed(presents), request: Some(request) }
    }

    /// The program itself.
    #[must_use]
    pub const fn service() -> Actor<'static> {
        Actor { user: None, via: Cow::Borrowed("service"), request: None }
    }
}

impl<'a> From<&'a Identity> for Actor<'a> {
    fn from(identity: &'a Identity) -> Self {
        let via = match &identity.via {
            AuthMethod::Password { .. } => Cow::Borrowed("password"),
            via => Cow::Owned(via.to_string()),
        };
        Self { user: Some(&identity.name), via, request: identity.request.as_ref() }
    }
}

/// A successful operation.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    SignedIn {
        user: &'a UserName,
        session: Option<SessionId>,
    },
    SignedOut {
        user: &'a UserName,
        session: Option<SessionId>,
    },
    SessionEnded {
        user: &'a UserName,
        session: SessionId,
    },
    /// All sessions of a user, or all except the current one.
    SessionsEnded {
        user: &'a UserName,
        but: Option<SessionId>,
    },
    FirstOwnerAdded {
        user: &'a UserName,
    },
    UserAdded {
        user: &'a UserName,
        role: Role,
    },
    RoleChanged {
        user: &'a UserName,
        from: Role,
        to: Role,
    },
    PasswordChanged {
        user: &'a UserName,
    },
    UserRemoved {
        user: &'a UserName,
        role: Role,
    },
    TokenMade {
        user: &'a UserName,
        id: TokenId,
        role: Role,
        narrowed: bool,
        expires_at: Option<Time>,
    },
    TokenRevoked {
        user: &'a UserName,
        id: TokenId,
    },
    TokensRevoked {
        user: &'a UserName,
    },
    BackupMade {
        file: &'a str,
        movies: u64,
    },
    BackupRestored {
        file: &'a str,
        made_at: Time,
        movies: u64,
    },
    HistoryPruned {
        before: Time,
        changes: u64,
    },
    DatabaseMigrated {
        migrations: &'a [&'static str],
    },
    ServiceStarted {
        settings: &'a str,
    },
    ServiceStopped,
}

/// The reason of a rejected request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    WrongPassword,
    UnknownUser,
    TooManyAttempts,
    /// An unknown, revoked or expired token.
    Token,
    /// An unknown or expired session.
    Session,
    /// An `Authorization` header that is neither Basic nor Bearer.
    Authorization,
    /// The role of the user or token is insufficient.
    Role,
    CrossSite,
    SetupCode,
    /// The user has too many running requests.
    UserLimit,
}

/// The fields of a line that depend on the event.
struct Line<'a> {
    event: &'static str,
    subject: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
}

impl Event<'_> {
    fn line(&self) -> Line<'_> {
        let line = |event, subject: String| Line { event, subject: Some(subject.into()), detail: None };
        let of_user = |event, user: &UserName| line(event, format!("user {}", user.as_str()));
        let session =
            |event, user: &UserName, id: SessionId| line(event, format!("session {id} of {}", user.as_str()));
        let with = |line, detail: String| Line { detail: Some(detail.into()), ..line };
        match *self {
            Self::SignedIn { user, session: Some(id) } => session("user.sign_in", user, id),
            Self::SignedIn { user, session: None } => of_user("user.sign_in", user),
            Self::SignedOut { user, session: Some(id) } => session("user.sign_out", user, id),
            Self::SignedOut { user, session: None } => of_user("user.sign_out", user),
            Self::SessionEnded { user, session: id } => session("session.ended", user, id),
            Self::SessionsEnded { user, but: None } => of_user("session.all_ended", user),
            Self::SessionsEnded { user, but: Some(id) } => {
                with(of_user("session.all_ended", user), format!("but session {id}"))
            }
            Self::FirstOwnerAdded { user } => of_user("user.first_owner_added", user),
            Self::UserAdded { user, role } => {
                with(of_user("user.added", user), format!("role {}", role.as_str()))
            }
            Self::RoleChanged { user, from, to } => {
                with(of_user("user.role_changed", user), format!("from {} to {}", from.as_str(), to.as_str()))
            }
            Self::PasswordChanged { user } => of_user("user.password_changed", user),
            Self::UserRemoved { user, role } => {
                with(of_user("user.removed", user), format!("role {}", role.as_str()))
            }
            Self::TokenMade { user, id, role, narrowed, expires_at } => {
                let narrowed = if narrowed { ", narrowed" } else { "" };
                let expires = expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                let token = line("token.made", format!("token {id} of {}", user.as_str()));
                with(token, format!("role {}{narrowed}, expires {expires}", role.as_str()))
            }
            Self::TokenRevoked { user, id } => {
                line("token.revoked", format!("token {id} of {}", user.as_str()))
            }
            Self::TokensRevoked { user } => of_user("token.all_revoked", user),
            Self::BackupMade { file, movies } => {
                with(line("backup.made", file.to_owned()), format!("{movies} movies"))
            }
            Self::BackupRestored { file, made_at, movies } => {
                with(line("backup.restored", file.to_owned()), format!("made {made_at}, {movies} movies"))
            }
            Self::HistoryPruned { before, changes } => {
                with(line("history.pruned", format!("changes before {before}")), format!("{changes} changes"))
            }
            Self::DatabaseMigrated { migrations } => line("database.migrated", migrations.join(", ")),
            Self::ServiceStarted { settings } => Line {
                event: "service.started",
                subject: Some(concat!("reelshelf ", env!("CARGO_PKG_VERSION")).into()),
                detail: Some(settings.into()),
            },
            Self::ServiceStopped => {
                line("service.stopped", concat!("reelshelf ", env!("CARGO_PKG_VERSION")).to_owned())
            }
        }
    }
}

impl Refusal {
    /// Returns the event name and the reason.
    const fn line(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongPassword => ("user.sign_in", "wrong password"),
            Self::UnknownUser => ("user.sign_in", "unknown user"),
            Self::TooManyAttempts => ("user.sign_in", "too many attempts"),
            Self::Token => ("request.authenticate", "token unknown, revoked or expired"),
            Self::Session => ("request.authenticate", "session unknown or ended"),
            Self::Authorization => ("request.authenticate", "malformed Authorization"),
            Self::Role => ("request.authorize", "role"),
            Self::CrossSite => ("request.authorize", "page of another site"),
            Self::SetupCode => ("setup.code", "code wrong, used or expired"),
            Self::UserLimit => ("request.limit", "too much under way"),
        }
    }

    /// Returns whether each one gets its own line: throttling and password hashing limit their number.
    const fn is_bounded(self) -> bool {
        matches!(self, Self::WrongPassword | Self::UnknownUser)
    }
}

/// The state of the audit log.
#[derive(Default)]
pub(super) struct Log(std::sync::Mutex<repeated::Repeated>);

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

fn fields<'a>(actor: &Actor<'a>) -> (Option<&'a str>, Option<String>, Option<&'a str>) {
    let request = actor.request;
    (
        actor.user.map(UserName::as_str),
        request.map(|request| request.address.to_string()),
        request.map(|request| &*request.id),
    )
}

/// Commits, and logs the event.
pub(super) async fn commit(
    tx: WriteTx,
    app: &App,
    actor: &Actor<'_>,
    events: &[Event<'_>],
) -> Result<(), Error> {
    tx.commit().await?;
    for event in events {
        app.audit(actor, event);
    }
    Ok(())
}

/// Commits a write with its result, and logs the event.
pub(super) async fn commit_once<T: Serialize>(
    tx: idempotency::IdempotentTx,
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
