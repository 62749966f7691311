//! Sessions of browsers: sign-in and authentication.

use std::time::Duration;

use super::{
    Secret,
    password::{Checked, WRONG, check},
};
use crate::{
    db::{DbError, Lock, deadline, retry_write, sessions, users},
    domain::{SessionId, Time},
    limits::{MAX_SESSIONS_PER_USER, SESSION_IDLE_WAIT, SESSION_LIFETIME, SESSION_TOUCH_WAIT},
    service::{
        App, AuthMethod, Error, Identity,
        audit::{self, Actor, Event, Refusal, RequestContext},
    },
};

/// The time between two updates of a session's last use.
const SESSION_TOUCH: Duration = Duration::from_secs(5 * 60);

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
    if now > session.seen_at + SESSION_TOUCH && app.auth.touches.may_be_tried(now) {
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
pub fn valid_after(now: Time) -> sessions::ValidAfter {
    sessions::ValidAfter { seen: now - SESSION_IDLE_WAIT, created: now - SESSION_LIFETIME }
}

async fn touch(app: &App, session: SessionId, now: Time) -> Result<(), DbError> {
    retry_write(|| async {
        let mut tx = app.db.write().await?;
        sessions::touch(tx.conn(), session, now).await?;
        tx.commit().await
    })
    .await
}
