//! Browser sessions: list and end.

use super::{
    App, AuthMethod, Error, Identity, Owner, Viewer,
    audit::{self, Event},
    auth, users,
};
use crate::{
    db::{retry_write, sessions},
    documents::Session,
    domain::{SessionId, UserName},
};

/// Converts a session for the user who asks.
fn shown(session: sessions::Session, asking: &Identity) -> Session {
    let sessions::Session { id, address, user_agent, created_at, seen_at } = session;
    Session {
        id,
        address,
        user_agent,
        created_at,
        seen_at,
        current: asking.via == AuthMethod::Session { id },
    }
}

/// Lists one's own sessions, last used first.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Session>, Error> {
    let after = auth::valid_after(app.now());
    let sessions = sessions::list(&mut app.db.read().await?, viewer.identity().user_id, after).await?;
    Ok(sessions.into_iter().map(|session| shown(session, viewer.identity())).collect())
}

/// Ends one of one's own sessions.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] with a token of a lesser role.
pub async fn end(app: &App, viewer: &Viewer, id: SessionId) -> Result<(), Error> {
    viewer.may_manage_account()?;
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, viewer.identity()).await?;
        if !sessions::delete(tx.conn(), viewer.identity().user_id, id).await? {
            return Err(Error::NotFound(format!("there is no session {id}")));
        }
        let event = if viewer.identity().via == (AuthMethod::Session { id }) {
            Event::SignedOut { user: &viewer.identity().name, session: Some(id) }
        } else {
            Event::SessionEnded { user: &viewer.identity().name, session: id }
        };
        audit::commit(tx, app, &viewer.identity().into(), &[event]).await
    })
    .await
}

/// Ends all of one's own sessions except the current one.
///
/// # Errors
/// [`Error::Forbidden`] with a token of a lesser role.
pub async fn end_others(app: &App, viewer: &Viewer) -> Result<(), Error> {
    viewer.may_manage_account()?;
    let own = if let AuthMethod::Session { id } = viewer.identity().via { Some(id) } else { None };
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, viewer.identity()).await?;
        sessions::delete_all(tx.conn(), viewer.identity().user_id, own).await?;
        let event = Event::SessionsEnded { user: &viewer.identity().name, but: own };
        audit::commit(tx, app, &viewer.identity().into(), &[event]).await
    })
    .await
}

/// Returns the stored name of a user, and the user's sessions, last used first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_of(app: &App, owner: &Owner, user: &UserName) -> Result<(UserName, Vec<Session>), Error> {
    let after = auth::valid_after(app.now());
    let mut conn = app.db.read().await?;
    let user = users::find(&mut conn, user).await?;
    let sessions = sessions::list(&mut conn, user.id, after).await?;
    Ok((user.name, sessions.into_iter().map(|session| shown(session, owner.identity())).collect()))
}

/// Ends a session of a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn end_of(app: &App, owner: &Owner, user: &UserName, id: SessionId) -> Result<(), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = users::find(tx.conn(), user).await?;
        if !sessions::delete(tx.conn(), user.id, id).await? {
            return Err(Error::NotFound(format!("{} has no session {id}", user.name.as_str())));
        }
        let event = Event::SessionEnded { user: &user.name, session: id };
        audit::commit(tx, app, &owner.identity().into(), &[event]).await
    })
    .await
}

/// Ends all sessions of a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn end_all_of(app: &App, owner: &Owner, user: &UserName) -> Result<(), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = users::find(tx.conn(), user).await?;
        sessions::delete_all(tx.conn(), user.id, None).await?;
        let event = Event::SessionsEnded { user: &user.name, but: None };
        audit::commit(tx, app, &owner.identity().into(), &[event]).await
    })
    .await
}
