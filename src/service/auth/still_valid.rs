//! Checks again that the user of a running request still has the rights.

use super::{password::digest, session::valid_after};
use crate::{
    db::{Conn, Lock, WriteTx, sessions, tokens, users},
    domain::Time,
    service::{App, AuthMethod, Error, Identity},
};

/// Returns whether an identity is still valid: the token or session exists, password and role are unchanged.
pub async fn is_signed_in(app: &App, identity: &Identity) -> Result<bool, Error> {
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
pub async fn begin_account_change(app: &App, identity: &Identity) -> Result<WriteTx, Error> {
    let mut tx = app.db.write().await?;
    tx.conn().lock(Lock::Users).await?;
    if !still_holds(tx.conn(), app.now(), identity).await? {
        return Err(Error::Unauthenticated("your credentials or role have changed meanwhile; sign in again"));
    }
    Ok(tx)
}
