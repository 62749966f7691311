//! The events of the audit log.

use std::borrow::Cow;

use crate::domain::{Role, SessionId, Time, TokenId, UserName};

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
pub(super) struct Line<'a> {
    pub event: &'static str,
    pub subject: Option<Cow<'a, str>>,
    pub detail: Option<Cow<'a, str>>,
}

impl Event<'_> {
    pub(super) fn line(&self) -> Line<'_> {
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
    pub(super) const fn line(self) -> (&'static str, &'static str) {
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
    pub(super) const fn is_bounded(self) -> bool {
        matches!(self, Self::WrongPassword | Self::UnknownUser)
    }
}
