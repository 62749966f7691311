//! Users and roles. Changing a user ends that user's sessions.

use super::{
    App, Error, IdempotencyKey, Owner, Viewer,
    audit::{self, Event, RequestContext},
    auth,
    idempotency::Claim,
};
use crate::{
    db::{
        Conn, DbError, retry_write, sessions, tokens,
        users::{self, StoredUser},
    },
    documents::{User, UserChanges},
    domain::{Code, Invalid, Password, Role, UserName},
};

/// Lists all users, by name.
pub async fn list(app: &App, _: &Owner) -> Result<Vec<User>, Error> {
    Ok(users::list(&mut app.db.read().await?).await?)
}

/// Returns a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(app: &App, _: &Owner, name: &UserName) -> Result<User, Error> {
    Ok(find(&mut app.db.read().await?, name).await?.into())
}

/// Creates a user.
///
/// # Errors
/// [`Error::Conflict`] if the name is taken or looks like another one; [`Error::KeyReused`].
pub async fn add(
    app: &App,
    owner: &Owner,
    name: &UserName,
    role: Role,
    password: Password,
    key: IdempotencyKey,
) -> Result<User, Error> {
    let hash = app.auth.hash(password).await?;
    retry_write(|| async {
        let tx = auth::begin_account_change(app, owner.identity()).await?;
        let mut tx = match key.begin(tx, app, owner.identity().user_id).await? {
            Claim::New(tx) => tx,
            Claim::Replay(user) => return Ok(user),
        };
        let names = users::list(tx.conn()).await?;
        let alike = names.iter().find(|user| user.name.key() != name.key() && user.name.looks_like(name));
        if let Some(User { name: other, .. }) = alike {
            return Err(Error::Conflict(format!(
                "the name looks the same as that of the user {}; choose another one",
                other.as_str()
            )));
        }
        let inserted = users::insert(tx.conn(), name, role, &hash, app.now()).await;
        if let Err(DbError::Duplicate(_)) = inserted {
            return Err(Error::Conflict(format!(
                "a user {} exists already; case and accents are ignored",
                name.as_str()
            )));
        }
        inserted?;
        let user = find(tx.conn(), name).await?.into();
        audit::commit_once(tx, user, app, &owner.identity().into(), &Event::UserAdded { user: name, role })
            .await
    })
    .await
}

/// Changes a user's role or password.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if no owner would remain; [`Error::Invalid`] if tokens are to be
/// revoked without a new password.
pub async fn change(app: &App, owner: &Owner, name: &UserName, changes: UserChanges) -> Result<User, Error> {
    if changes.revoke_tokens && changes.password.is_none() {
        return Err(Error::invalid(
            "/revokeTokens",
            Invalid::new(Code::Incomplete, "must go with a new password"),
        ));
    }
    let hash = match changes.password {
        Some(password) => Some(app.auth.hash(password).await?),
        None => None,
    };
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = find(tx.conn(), name).await?;
        let role = changes.role.filter(|role| *role != user.role);
        if let Some(role) = role {
            keep_an_owner(tx.conn(), &user).await?;
            users::set_role(tx.conn(), user.id, role).await?;
        }
        if let Some(hash) = &hash {
            users::set_password(tx.conn(), user.id, hash).await?;
        }
        if role.is_some() || hash.is_some() {
            sessions::delete_all(tx.conn(), user.id, None).await?;
        }
        let revoked = changes.revoke_tokens && tokens::delete_all(tx.conn(), user.id).await?;
        let role_changed = role.map(|to| Event::RoleChanged { user: &user.name, from: user.role, to });
        let password_changed = hash.is_some().then_some(Event::PasswordChanged { user: &user.name });
        let revoked = revoked.then_some(Event::TokensRevoked { user: &user.name });
        let events: Vec<_> = [role_changed, password_changed, revoked].into_iter().flatten().collect();
        audit::commit(tx, app, &owner.identity().into(), &events).await?;
        Ok(User { role: role.unwrap_or(user.role), ..user.into() })
    })
    .await
}

/// Deletes a user with all tokens and sessions.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for the last owner.
pub async fn remove(app: &App, owner: &Owner, name: &UserName) -> Result<(), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = find(tx.conn(), name).await?;
        keep_an_owner(tx.conn(), &user).await?;
        users::delete(tx.conn(), user.id).await?;
        let event = Event::UserRemoved { user: &user.name, role: user.role };
        audit::commit(tx, app, &owner.identity().into(), &[event]).await
    })
    .await
}

/// Changes one's own password, given the current one. Revokes one's own tokens if requested.
///
/// # Errors
/// [`Error::Invalid`] if the current password is wrong or the new one violates a rule;
/// [`Error::TooManyAttempts`]; [`Error::Forbidden`] with a token of a lesser role; [`Error::Conflict`] if the
/// password was changed meanwhile.
pub async fn change_own_password(
    app: &App,
    viewer: &Viewer,
    request: &RequestContext,
    present: &str,
    new: &str,
    revoke_tokens: bool,
) -> Result<(), Error> {
    viewer.may_manage_account()?;
    let user = auth::check_present_password(app, request, &viewer.identity().name, present).await?;
    let new =
        Password::parse(new, &viewer.identity().name).map_err(|rule| Error::invalid("/password", rule))?;
    let hash = app.auth.hash(new).await?;
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, viewer.identity()).await?;
        // A reset by an owner wins, even if the old password was correct a moment ago.
        let stored = users::by_name(tx.conn(), &viewer.identity().name).await?;
        if stored.is_none_or(|stored| stored.id != user.id || stored.password_hash != user.password_hash) {
            return Err(Error::Conflict(
                "the password was changed meanwhile; sign in with the new one".to_owned(),
            ));
        }
        users::set_password(tx.conn(), user.id, &hash).await?;
        sessions::delete_all(tx.conn(), user.id, None).await?;
        let revoked = revoke_tokens && tokens::delete_all(tx.conn(), user.id).await?;
        let changed = Some(Event::PasswordChanged { user: &user.name });
        let revoked = revoked.then_some(Event::TokensRevoked { user: &user.name });
        let events: Vec<_> = [changed, revoked].into_iter().flatten().collect();
        audit::commit(tx, app, &viewer.identity().into(), &events).await
    })
    .await
}

pub(super) async fn find(conn: &mut Conn, name: &UserName) -> Result<StoredUser, Error> {
    let user = users::by_name(conn, name).await?;
    user.ok_or_else(|| Error::NotFound(format!("there is no user {}", name.as_str())))
}

/// Rejects a change that would leave no owner.
async fn keep_an_owner(conn: &mut Conn, user: &StoredUser) -> Result<(), Error> {
    if user.role == Role::Owner && users::count_role(conn, Role::Owner).await? == 1 {
        return Err(Error::Conflict(format!(
            "{} is the last owner, who can be neither removed nor lowered",
            user.name.as_str()
        )));
    }
    Ok(())
}
