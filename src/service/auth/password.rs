//! Authentication by user name and password.

use sha2::{Digest, Sha256};

use super::passwords;
use crate::{
    db::{DbError, Lock, retry_write, users},
    domain::{Code, Invalid, Password, UserName},
    service::{
        App, AuthMethod, Error, Identity,
        audit::{Actor, Event, Refusal, RequestContext},
    },
};

pub(super) const WRONG: Error = Error::Unauthenticated("the user name or the password is wrong");

/// A user whose password was correct.
pub(super) struct Checked {
    pub user: users::StoredUser,
    /// Whether the hash was computed, not cached.
    computed: bool,
}

/// Verifies a user name and a password. Failures are counted for the client's address. A recently verified
/// pair from the same address needs no hash computation.
///
/// # Errors
/// [`Error::Unauthenticated`], the same for an unknown name and a wrong password; [`Error::TooManyAttempts`];
/// [`Error::Overloaded`].
pub(super) async fn check(
    app: &App,
    request: &RequestContext,
    name: &str,
    password: &str,
) -> Result<Checked, Error> {
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

/// Verifies the current password of a signed-in user.
///
/// # Errors
/// [`Error::Invalid`] if it is wrong; [`Error::TooManyAttempts`].
pub async fn check_present_password(
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

pub(super) fn digest(password_hash: &str) -> [u8; 32] {
    Sha256::digest(password_hash).into()
}
