//! Signing in: the one check behind Basic, Bearer and the sessions of the pages.

mod passwords;
mod secrets;
mod throttle;

pub use secrets::{Secret, TOKEN_PREFIX};
pub(super) use throttle::subscriber;

use super::{
    App, Error, Identity, Via,
    audit::{self, Actor, Event, Refusal, RequestContext},
};
use crate::{
    db::{Lock, sessions, tokens, users},
    domain::{Password, UserName},
};

/// How long a session lasts after it was last used, in milliseconds: 30 days.
pub const SESSION_IDLE: i64 = 30 * 24 * 60 * 60 * 1000;
/// A session's last use is noted when it is this much later than the one before: 5 minutes.
const SESSION_TOUCH: i64 = 5 * 60 * 1000;

const WRONG: Error = Error::Unauthenticated("the user name or the password is wrong");

/// What signing in remembers while the program runs.
#[derive(Default)]
pub(super) struct Guard {
    hasher: passwords::Hasher,
    remembered: passwords::Remembered,
    throttle: throttle::Throttle,
    /// The one-time code with which the first owner can be made.
    pub(super) setup_code: std::sync::Mutex<Option<Secret>>,
}

impl Guard {
    pub(super) async fn hash(&self, password: Password) -> Result<String, Error> {
        self.hasher.hash(password).await
    }
}

/// A user whose password was right.
struct Checked {
    user: users::User,
    /// Whether the password was computed, rather than remembered.
    computed: bool,
}

/// Checks a user name and a password. Wrong ones are counted for the address they come from; a pair
/// that was right a short while ago is right without another computation.
///
/// # Errors
/// [`Error::Unauthenticated`], the same for a wrong name as for a wrong password;
/// [`Error::TooManyAttempts`].
async fn check(app: &App, request: &RequestContext, name: &str, password: &str) -> Result<Checked, Error> {
    let name = UserName::parse(name).map_err(|_| name);
    let user = match &name {
        Ok(name) => users::by_name(&mut app.db.read().await?, name).await?,
        Err(_) => None,
    };
    let guard = &app.auth;
    let remembered =
        || user.as_ref().filter(|user| guard.remembered.knows(&user.password_hash, password, app.now()));
    if let Some(user) = remembered() {
        return Ok(Checked { user: user.clone(), computed: false });
    }
    // One at a time for each address, so that guesses side by side are counted like any others, and
    // one client's first requests side by side cost one computation.
    let mut attempts = guard.throttle.attempts_from(request.address, app.now()).await;
    if let Some(user) = remembered() {
        return Ok(Checked { user: user.clone(), computed: false });
    }
    let account = match name {
        Ok(name) => name.key(),
        // Nobody's account; counted all the same, and kept no longer than a name.
        Err(text) => text.chars().take(UserName::MAX_CHARS).collect(),
    };
    // Not the name as it was given: people type passwords there, too.
    let actor = Actor::with_password(user.as_ref().map(|user| &user.name), request);
    attempts
        .check(&account, app.now())
        .inspect_err(|_| app.audit_refusal(&actor, Refusal::TooManyAttempts, None))?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    if guard.hasher.verify(password, hash).await?
        && let Some(user) = &user
    {
        attempts.forget(&account);
        guard.remembered.remember(&user.password_hash, password, app.now());
        return Ok(Checked { user: user.clone(), computed: true });
    }
    let refusal = if user.is_some() { Refusal::WrongPassword } else { Refusal::UnknownUser };
    app.audit_refusal(&actor, refusal, None);
    attempts.note_failure(account, app.now());
    Err(WRONG)
}

/// Who it is that sent this user name and password with a request.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::TooManyAttempts`].
pub async fn basic(
    app: &App,
    request: RequestContext,
    name: &str,
    password: &str,
) -> Result<Identity, Error> {
    let Checked { user, computed } = check(app, &request, name, password).await?;
    let identity = Identity {
        user_id: user.id,
        name: user.name,
        role: user.role,
        via: Via::Password,
        request: Some(request),
    };
    if computed {
        app.audit(&(&identity).into(), &Event::SignedIn { user: &identity.name, session: None });
    }
    Ok(identity)
}

/// Whose API token this is.
///
/// # Errors
/// [`Error::Unauthenticated`] for a token that is unknown, revoked or expired.
pub async fn bearer(app: &App, request: RequestContext, token: &str) -> Result<Identity, Error> {
    let hash = Secret::presented(token).hash();
    let presented = tokens::by_secret(&mut app.db.read().await?, &hash, app.now()).await?;
    let Some(presented) = presented else {
        app.audit_refusal(&Actor::unknown("token", &request), Refusal::Token, None);
        return Err(Error::Unauthenticated("the token is unknown, was revoked or has expired"));
    };
    let token = presented.token;
    Ok(Identity {
        user_id: presented.user_id,
        name: presented.user_name,
        role: presented.user_role.min(token.role),
        via: Via::Token {
            id: token.id,
            name: token.name,
            narrowed: token.role < presented.user_role,
            expires_at: token.expires_at,
        },
        request: Some(request),
    })
}

/// Whose session this is.
///
/// # Errors
/// [`Error::Unauthenticated`] for a session that is unknown or has ended.
pub async fn session(app: &App, request: RequestContext, cookie: &str) -> Result<Identity, Error> {
    let now = app.now();
    let hash = Secret::presented(cookie).hash();
    let presented =
        sessions::by_secret(&mut app.db.read().await?, &hash, now.plus_millis(-SESSION_IDLE)).await?;
    let Some(presented) = presented else {
        app.audit_refusal(&Actor::unknown("session", &request), Refusal::Session, None);
        return Err(Error::Unauthenticated("the session has ended; sign in again"));
    };
    let session = presented.session;
    if now > session.seen_at.plus_millis(SESSION_TOUCH) {
        let mut tx = app.db.write().await?;
        sessions::touch(&mut tx, session.id, now).await?;
        tx.commit().await?;
    }
    Ok(Identity {
        user_id: presented.user_id,
        name: presented.user_name,
        role: presented.user_role,
        via: Via::Session { id: session.id },
        request: Some(request),
    })
}

/// Whether somebody is signed in still: the token or the session was not revoked, the user not removed.
///
/// # Errors
/// Those of the database.
pub(super) async fn is_signed_in(app: &App, identity: &Identity) -> Result<bool, Error> {
    let mut conn = app.db.read().await?;
    let now = app.now();
    Ok(match identity.via {
        Via::Token { id, .. } => tokens::is_valid(&mut conn, id, &identity.name, now).await?,
        Via::Session { id } => sessions::is_valid(&mut conn, id, now.plus_millis(-SESSION_IDLE)).await?,
        Via::Password => {
            users::by_name(&mut conn, &identity.name).await?.is_some_and(|u| u.id == identity.user_id)
        }
        Via::Console => true,
    })
}

/// Begins a session of the web pages; returns what its cookie holds.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::TooManyAttempts`].
pub async fn login(
    app: &App,
    request: RequestContext,
    user_agent: &str,
    name: &str,
    password: &str,
) -> Result<(Secret, Identity), Error> {
    let Checked { user, .. } = check(app, &request, name, password).await?;
    let secret = Secret::session();
    let now = app.now();
    let user_agent: String = user_agent.chars().take(200).collect();
    let mut tx = app.db.write().await?;
    tx.lock(Lock::Users).await?;
    // The password may have been changed since it was checked: its change has ended all sessions.
    let present = users::by_name(&mut tx, &user.name).await?;
    let user = present.filter(|present| present.password_hash == user.password_hash).ok_or(WRONG)?;
    sessions::delete_expired(&mut tx, now.plus_millis(-SESSION_IDLE)).await?;
    let address = request.address.to_string();
    let id = sessions::insert(&mut tx, user.id, &secret.hash(), &address, &user_agent, now).await?;
    let event = Event::SignedIn { user: &user.name, session: Some(id) };
    audit::commit(tx, app, &Actor::with_password(Some(&user.name), &request), &[event]).await?;
    let identity = Identity {
        user_id: user.id,
        name: user.name,
        role: user.role,
        via: Via::Session { id },
        request: Some(request),
    };
    Ok((secret, identity))
}

/// Checks the present password of somebody who is signed in.
///
/// # Errors
/// [`Error::Invalid`] where it is wrong, [`Error::TooManyAttempts`].
pub(super) async fn check_present_password(
    app: &App,
    request: &RequestContext,
    name: &UserName,
    password: &str,
) -> Result<users::User, Error> {
    match check(app, request, name.as_str(), password).await {
        Err(Error::Unauthenticated(_)) => Err(Error::invalid("/presentPassword", "is wrong")),
        checked => Ok(checked?.user),
    }
}
