//! Creation of the first owner, with a one-time code or from the environment. There is no default password.

use std::{sync::PoisonError, time::Duration};

use subtle::ConstantTimeEq;

use super::{
    App, Error,
    audit::{self, Actor, Event, Refusal, RequestContext},
    auth::Secret,
};
use crate::{
    db::{Lock, retry_write, users},
    domain::{Password, Role, UserName},
    limits::SETUP_CODE_LIFETIME,
};

/// The pause before another attempt if the database did not answer.
const RETRY: Duration = Duration::from_secs(60);

/// Returns whether there is no user yet.
pub async fn needed(app: &App) -> Result<bool, Error> {
    Ok(!users::exist(&mut app.db.read().await?).await?)
}

/// Creates a one-time code if there is no user yet. It is valid for an hour, or until the next one is
/// created.
pub async fn begin(app: &App) -> Result<Option<Secret>, Error> {
    if !needed(app).await? {
        return Ok(None);
    }
    let code = Secret::session();
    let end = app.now() + SETUP_CODE_LIFETIME;
    *app.auth.setup_code.lock().unwrap_or_else(PoisonError::into_inner) = Some((code.clone(), end));
    Ok(Some(code))
}

/// Creates a new code whenever the last one expires, as long as there is no user. `offer` shows it.
pub async fn renew(app: &App, wait: impl AsyncFn(Duration), offer: impl Fn(&Secret)) {
    let mut next = SETUP_CODE_LIFETIME;
    loop {
        wait(next).await;
        next = match begin(app).await {
            Ok(Some(code)) => {
                offer(&code);
                SETUP_CODE_LIFETIME
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "no new set-up code can be created at the moment");
                RETRY
            }
        };
    }
}

/// Checks the one-time code, before the rest of the request is looked at.
///
/// # Errors
/// [`Error::Forbidden`] if the code is wrong, used or expired; [`Error::Conflict`] if a user exists already.
pub async fn check(app: &App, request: &RequestContext, code: &str) -> Result<(), Error> {
    if !is_code(app, request, code) {
        return Err(Error::Forbidden(
            "the set-up code is wrong, was used or has ended; as long as there is no user, the log shows a new one \
             each hour and after a restart"
                .to_owned(),
        ));
    }
    if !needed(app).await? {
        return Err(exists());
    }
    Ok(())
}

fn exists() -> Error {
    Error::Conflict("the first owner is there already; sign in".to_owned())
}

/// Compares in constant time.
fn is_code(app: &App, request: &RequestContext, code: &str) -> bool {
    let expected = app.auth.setup_code.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let presented = Secret::presented(code).hash();
    let right = expected.is_some_and(|(expected, end)| {
        bool::from(expected.hash().as_bytes().ct_eq(presented.as_bytes())) && app.now() < end
    });
    if !right {
        app.audit_refusal(&Actor::unknown("setup", request), Refusal::SetupCode, None);
    }
    right
}

/// Creates the first owner with the one-time code.
///
/// # Errors
/// [`Error::Forbidden`] if the code is wrong; [`Error::Conflict`] if a user exists already.
pub async fn finish(
    app: &App,
    request: &RequestContext,
    code: &str,
    name: &UserName,
    password: Password,
) -> Result<(), Error> {
    check(app, request, code).await?;
    first_owner(app, &Actor::unknown("setup", request), name, password).await?;
    *app.auth.setup_code.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(())
}

/// Creates the first owner.
///
/// # Errors
/// [`Error::Conflict`] if a user exists already.
pub async fn first_owner(
    app: &App,
    actor: &Actor<'_>,
    name: &UserName,
    password: Password,
) -> Result<(), Error> {
    let hash = app.auth.hash(password).await?;
    retry_write(|| async {
        let mut tx = app.db.write().await?;
        tx.conn().lock(Lock::Users).await?;
        if users::exist(tx.conn()).await? {
            return Err(exists());
        }
        users::insert(tx.conn(), name, Role::Owner, &hash, app.now()).await?;
        audit::commit(tx, app, actor, &[Event::FirstOwnerAdded { user: name }]).await
    })
    .await
}
