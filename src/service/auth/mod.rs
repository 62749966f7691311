//! Authentication: Basic, Bearer and browser sessions.

mod passwords;
mod secrets;
mod throttle;

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

pub use secrets::{Secret, TOKEN_PREFIX};
use sha2::{Digest, Sha256};
pub(super) use throttle::subscriber;

use super::{
    App, AuthMethod, Error, Identity,
    audit::{self, Actor, Event, Refusal, RequestContext},
};
use crate::{
    db::{Conn, Credentials, DbError, Lock, WriteTx, deadline, retry_write, sessions, tokens, users},
    domain::{Code, Invalid, Password, SessionId, Time, UserName},
    limits::{MAX_SESSIONS_PER_USER, SESSION_IDLE_WAIT, SESSION_LIFETIME, SESSION_TOUCH_WAIT},
};

/// The time between two updates of a session's last use, in milliseconds: 5 minutes.
const SESSION_TOUCH: i64 = 5 * 60 * 1000;
/// The pause after a failed update, in milliseconds: 1 minute.
const SESSION_TOUCH_RETRY: i64 = 60 * 1000;

const WRONG: Error = Error::Unauthenticated("the user name or the password is wrong");

/// The authentication state in memory.
#[derive(Default)]
pub(super) struct AuthState {
    hasher: passwords::Hasher,
    verified: passwords::VerifiedPasswordCache,
    throttle: throttle::Throttle,
    touches: Touches,
    tokens: Credentials<tokens::Presented>,
    sessions: Credentials<sessions::Presented>,
    /// The one-time code for the first owner, and its expiry.
    pub(super) setup_code: std::sync::Mutex<Option<(Secret, Time)>>,
}

impl AuthState {
    pub(super) async fn hash(&self, password: Password) -> Result<String, Error> {
        self.hasher.hash(password.expose().to_owned()).await
    }
}

/// A user whose password was correct.
struct Checked {
    user: users::StoredUser,
    /// Whether the hash was computed, not cached.
    computed: bool,
}

/// Verifies a user name and a password. Failures are counted for the client's address. A recently verified
/// pair from the same address needs no hash computation.
///
/// # Errors
/// [`Error::Unauthenticated`], the same for an unknown name and a wrong password; [`Error::TooManyAttempts`];
/// [`Error::Overloaded`].
async fn check(app: &App, request: &RequestContext, name: &str, password: &str) -> Result<Checked, Error> {
    let address = request.address;
    let name = UserName::parse(name).map_err(|_| name);
    let user = match &name {
        Ok(name) => users::by_name(&mut app.db.read().await?, name).await?,
        Err(_) => None,
    };
    let guard = &app.auth;
    // The cache applies only to the address that verified the pair; otherwise it would bypass the throttle.
    let remembered = || {
        let verified = |user: &&users::StoredUser| {
            guard.verified.contains(address, &user.password_hash, password, app.now())
        };
        user.as_ref().filter(verified)
    };
    if let Some(user) = remembered() {
        return Ok(Checked { user: user.clone(), computed: false });
    }
    // Attempts of one address run one at a time. So concurrent guesses are counted, and a client's first
    // concurrent requests cost a single computation.
    let mut attempts = guard.throttle.attempts_from(address, app.now()).await?;
    if let Some(user) = remembered() {
        return Ok(Checked { user: user.clone(), computed: false });
    }
    let account = match name {
        Ok(name) => name.key(),
        // An invalid name matches no user. It is counted, but shortened.
        Err(text) => text.chars().take(UserName::MAX_CHARS).collect(),
    };
    // Only names of existing users are logged: people type passwords into the name field, too.
    let actor = Actor::with_password(user.as_ref().map(|user| &user.name), request);
    attempts
        .check(&account, app.now())
        .inspect_err(|_| app.audit_refusal(&actor, Refusal::TooManyAttempts, None))?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    if guard.hasher.verify(address, password, hash).await?
        && let Some(user) = &user
    {
        attempts.forget(&account);
        let user = &with_current_hash(app, user.clone(), password).await?;
        guard.verified.insert(address, &user.password_hash, password, app.now());
        return Ok(Checked { user: user.clone(), computed: true });
    }
    let refusal = if user.is_some() { Refusal::WrongPassword } else { Refusal::UnknownUser };
    app.audit_refusal(&actor, refusal, None);
    attempts.note_failure(account, app.now());
    Err(WRONG)
}

/// Stores a new hash of a correct password, if the old one has outdated parameters.
async fn with_current_hash(
    app: &App,
    mut user: users::StoredUser,
    password: &str,
) -> Result<users::StoredUser, Error> {
    if passwords::is_current(&user.password_hash) {
        return Ok(user);
    }
    let hash = app.auth.hasher.hash(Password::normalize(password).into_owned()).await?;
    let replaced = retry_write(|| async {
        let mut tx = app.db.write().await?;
        tx.conn().lock(Lock::Users).await?;
        let replaced = users::replace_hash(tx.conn(), user.id, &user.password_hash, &hash).await?;
        tx.commit().await?;
        Ok::<_, DbError>(replaced)
    });
    if replaced.await? {
        user.password_hash = hash;
    }
    Ok(user)
}

/// Authenticates a request by user name and password.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::TooManyAttempts`], [`Error::Overloaded`].
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
        via: AuthMethod::Password { stored: digest(&user.password_hash) },
        request: Some(request),
        seen: None,
    };
    if computed {
        app.audit(&(&identity).into(), &Event::SignedIn { user: &identity.name, session: None });
    }
    Ok(identity)
}

/// Authenticates a request by API token.
///
/// # Errors
/// [`Error::Unauthenticated`] if the token is unknown, revoked or expired.
pub async fn bearer(app: &App, request: RequestContext, token: &str) -> Result<Identity, Error> {
    let hash = Secret::presented(token).hash();
    let presented = app.auth.tokens.find(&app.db, &hash, app.catalogue.last()).await?;
    let is_valid = |(presented, _): &(tokens::Presented, _)| presented.token.is_valid(app.now());
    let Some((presented, seen)) = presented.filter(is_valid) else {
        app.audit_refusal(&Actor::unknown("token", &request), Refusal::Token, None);
        return Err(Error::Unauthenticated("the token is unknown, was revoked or has expired"));
    };
    let token = presented.token;
    Ok(Identity {
        user_id: presented.user_id,
        name: presented.user_name,
        role: presented.user_role.min(token.role),
        via: AuthMethod::Token {
            id: token.id,
            name: token.name,
            narrowed: presented.narrowed || token.role < presented.user_role,
            expires_at: token.expires_at,
        },
        request: Some(request),
        seen: Some(seen),
    })
}

/// Authenticates a request by session. Of several cookies, the first valid one counts.
///
/// # Errors
/// [`Error::Unauthenticated`] if no session is valid.
pub async fn session(app: &App, request: RequestContext, cookies: &[Secret]) -> Result<Identity, Error> {
    let now = app.now();
    let mut presented = None;
    for cookie in cookies {
        let found = app.auth.sessions.find(&app.db, &cookie.hash(), app.catalogue.last()).await?;
        presented = found.filter(|(presented, _)| presented.session.is_valid(valid_after(now)));
        if presented.is_some() {
            break;
        }
    }
    let Some((presented, seen)) = presented else {
        app.audit_refusal(&Actor::unknown("session", &request), Refusal::Session, None);
        return Err(Error::Unauthenticated("the session has ended; sign in again"));
    };
    let session = presented.session;
    if now > session.seen_at.plus_millis(SESSION_TOUCH) && app.auth.touches.may_be_tried(now) {
        // If the database is read-only or full, users can still read.
        if let Err(error) = Box::pin(deadline::within(SESSION_TOUCH_WAIT, touch(app, session.id, now))).await
            && app.auth.touches.note_failure(now)
        {
            tracing::error!(%error, "the use of sessions cannot be noted");
        }
    }
    Ok(Identity {
        user_id: presented.user_id,
        name: presented.user_name,
        role: presented.user_role,
        via: AuthMethod::Session { id: session.id },
        request: Some(request),
        seen: Some(seen),
    })
}

/// Returns the limits of a session's last use and beginning.
pub(super) fn valid_after(now: Time) -> sessions::ValidAfter {
    let before = |wait: Duration| now.plus_millis(-i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    sessions::ValidAfter { seen: before(SESSION_IDLE_WAIT), created: before(SESSION_LIFETIME) }
}

fn digest(password_hash: &str) -> [u8; 32] {
    Sha256::digest(password_hash).into()
}

async fn touch(app: &App, session: SessionId, now: Time) -> Result<(), DbError> {
    retry_write(|| async {
        let mut tx = app.db.write().await?;
        sessions::touch(tx.conn(), session, now).await?;
        tx.commit().await
    })
    .await
}

/// The time of the last failed update of a session, to limit retries and log lines.
struct Touches(AtomicI64);

impl Touches {
    fn may_be_tried(&self, now: Time) -> bool {
        let since = now.as_millis().saturating_sub(self.0.load(Relaxed));
        !(0..SESSION_TOUCH_RETRY).contains(&since)
    }

    /// Records a failure. Returns whether it is the first one for a while.
    fn note_failure(&self, now: Time) -> bool {
        let may_be_tried = self.may_be_tried(now);
        self.0.store(now.as_millis(), Relaxed);
        may_be_tried
    }
}

impl Default for Touches {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

/// Returns whether an identity is still valid: the token or session exists, password and role are unchanged.
pub(super) async fn is_signed_in(app: &App, identity: &Identity) -> Result<bool, Error> {
    still_holds(&mut app.db.read().await?, app.now(), identity).await
}

async fn still_holds(conn: &mut Conn, now: Time, identity: &Identity) -> Result<bool, Error> {
    let Identity { name, role, .. } = identity;
    // The name is compared, too: after a restore the id may belong to another user.
    Ok(match &identity.via {
        AuthMethod::Token { id, .. } => tokens::role(conn, *id, name, now).await? == Some(*role),
        AuthMethod::Session { id } => sessions::role(conn, *id, name, valid_after(now)).await? == Some(*role),
        AuthMethod::Password { stored } => users::by_name(conn, name).await?.is_some_and(|user| {
            user.id == identity.user_id && user.role == *role && digest(&user.password_hash) == *stored
        }),
        AuthMethod::Console => true,
    })
}

/// Begins a transaction that changes users, tokens or sessions. It locks users and checks the identity again.
///
/// # Errors
/// [`Error::Unauthenticated`] if the token, session, password or role has changed since the request began.
pub(super) async fn begin_account_change(app: &App, identity: &Identity) -> Result<WriteTx, Error> {
    let mut tx = app.db.write().await?;
    tx.conn().lock(Lock::Users).await?;
    if !still_holds(tx.conn(), app.now(), identity).await? {
        return Err(Error::Unauthenticated("your credentials or role have changed meanwhile; sign in again"));
    }
    Ok(tx)
}

/// The browser that signs in.
#[derive(Debug, Clone)]
pub struct Browser {
    pub request: RequestContext,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Session cookies of the request, which the new session replaces.
    pub presented: Vec<Secret>,
}

/// Creates a browser session. Returns its cookie value.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::TooManyAttempts`], [`Error::Overloaded`].
pub async fn login(
    app: &App,
    browser: Browser,
    name: &str,
    password: &str,
) -> Result<(Secret, Identity), Error> {
    let Browser { request, user_agent, presented } = browser;
    let Checked { user, .. } = check(app, &request, name, password).await?;
    let secret = Secret::session();
    let now = app.now();
    let user_agent: String = user_agent.chars().take(200).collect();
    let (user, id) = retry_write(|| async {
        let mut tx = app.db.write().await?;
        tx.conn().lock(Lock::Users).await?;
        // If the password was changed since the check, this session must not outlive that change.
        let present = users::by_name(tx.conn(), &user.name).await?;
        let user = present.filter(|present| present.password_hash == user.password_hash).ok_or(WRONG)?;
        sessions::delete_expired(tx.conn(), valid_after(now)).await?;
        let mut ended = Vec::new();
        for presented in &presented {
            ended.extend(sessions::delete_by_secret(tx.conn(), &presented.hash()).await?);
        }
        let others = i64::try_from(MAX_SESSIONS_PER_USER - 1).unwrap_or(i64::MAX);
        let oldest = sessions::delete_all_but_latest(tx.conn(), user.id, others).await?;
        ended.extend(oldest.into_iter().map(|id| (id, user.name.clone())));
        let address = request.address.to_string();
        let id = sessions::insert(tx.conn(), user.id, &secret.hash(), &address, &user_agent, now).await?;
        let ended = ended.iter().map(|(session, user)| Event::SessionEnded { user, session: *session });
        let signed_in = Event::SignedIn { user: &user.name, session: Some(id) };
        let events: Vec<_> = ended.chain([signed_in]).collect();
        audit::commit(tx, app, &Actor::with_password(Some(&user.name), &request), &events).await?;
        Ok::<_, Error>((user, id))
    })
    .await?;
    let identity = Identity {
        user_id: user.id,
        name: user.name,
        role: user.role,
        via: AuthMethod::Session { id },
        request: Some(request),
        seen: None,
    };
    Ok((secret, identity))
}

/// Verifies the current password of a signed-in user.
///
/// # Errors
/// [`Error::Invalid`] if it is wrong; [`Error::TooManyAttempts`].
pub(super) async fn check_present_password(
    app: &App,
    request: &RequestContext,
    name: &UserName,
    password: &str,
) -> Result<users::StoredUser, Error> {
    match check(app, request, name.as_str(), password).await {
        Err(Error::Unauthenticated(_)) => {
            Err(Error::invalid("/presentPassword", Invalid::new(Code::Incorrect, "is wrong")))
        }
        checked => Ok(checked?.user),
    }
}
