//! API tokens: create, list, revoke.

use super::{
    App, AuthMethod, Error, IdempotencyKey, Identity, Owner, Viewer,
    audit::{self, Event},
    auth::{self, Secret},
    idempotency::Claim,
    users,
};
use crate::{
    db::{WriteTx, retry_write, tokens},
    documents::{NewToken, Token},
    domain::{Code, Invalid, Role, TokenId, UserId, UserName},
    limits::MAX_TOKENS_PER_USER,
};

/// Lists one's own tokens.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Token>, Error> {
    Ok(tokens::list(&mut app.db.read().await?, viewer.identity().user_id).await?)
}

/// Creates a token for oneself. Its secret is shown only once.
///
/// # Errors
/// [`Error::Invalid`] if its role exceeds one's own; [`Error::Forbidden`] with a token of a lesser role;
/// [`Error::KeyReused`].
pub async fn create(
    app: &App,
    viewer: &Viewer,
    new: &NewToken,
    key: IdempotencyKey,
) -> Result<(Token, Secret), Error> {
    viewer.may_manage_account()?;
    if let AuthMethod::Token { expires_at: Some(end), .. } = viewer.identity().via
        && new.expires_at.is_none_or(|expires_at| expires_at > end)
    {
        let rule = format!("must not be later than {end}, when the token that creates it expires");
        return Err(Error::invalid("/expiresAt", Invalid::new(Code::OutOfRange, rule)));
    }
    retry_write(|| async {
        let tx = auth::begin_account_change(app, viewer.identity()).await?;
        insert(
            app,
            tx,
            viewer.identity(),
            (viewer.identity().user_id, &viewer.identity().name),
            viewer.identity().role,
            new,
            &key,
        )
        .await
    })
    .await
}

/// Creates a token for a user, at the console.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] if its role exceeds the user's.
pub async fn create_for(
    app: &App,
    owner: &Owner,
    user: &UserName,
    new: &NewToken,
) -> Result<(Token, Secret), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = users::find(tx.conn(), user).await?;
        insert(app, tx, owner.identity(), (user.id, &user.name), user.role, new, &IdempotencyKey::default())
            .await
    })
    .await
}

/// Inserts a token in a transaction that locks users, so that the user's role is stable.
async fn insert(
    app: &App,
    tx: WriteTx,
    by: &Identity,
    (user_id, user): (UserId, &UserName),
    most: Role,
    new: &NewToken,
    key: &IdempotencyKey,
) -> Result<(Token, Secret), Error> {
    let mut tx = match key.begin::<(Token, String)>(tx, app, user_id).await? {
        Claim::New(tx) => tx,
        Claim::Replay((token, secret)) => return Ok((token, Secret::presented(&secret))),
    };
    let now = app.now();
    let role = new.role.unwrap_or(most);
    if role > most {
        return Err(Error::invalid(
            "/role",
            Invalid::new(Code::NotAllowed, format!("must not be more than {}", most.as_str())),
        ));
    }
    if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::invalid("/expiresAt", Invalid::new(Code::OutOfRange, "must lie in the future")));
    }
    if tokens::count(tx.conn(), user_id).await? >= i64::try_from(MAX_TOKENS_PER_USER).unwrap_or(i64::MAX) {
        return Err(Error::Conflict(format!(
            "there are {MAX_TOKENS_PER_USER} tokens already, the most that a user may have; revoke one first"
        )));
    }
    let secret = Secret::token();
    let rights = (role, role < most);
    let id =
        tokens::insert(tx.conn(), user_id, &new.name, rights, &secret.hash(), now, new.expires_at).await?;
    let token = Token { id, name: new.name.clone(), role, created_at: now, expires_at: new.expires_at };
    let event = Event::TokenMade { user, id, role, narrowed: role < most, expires_at: new.expires_at };
    let (token, _) = audit::commit_once(tx, (token, secret.reveal()), app, &by.into(), &event).await?;
    Ok((token, secret))
}

/// Revokes one of one's own tokens. A token with a lesser role may revoke only itself.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] with a token of a lesser role.
pub async fn revoke(app: &App, viewer: &Viewer, id: TokenId) -> Result<(), Error> {
    if !matches!(viewer.identity().via, AuthMethod::Token { id: own, .. } if own == id) {
        viewer.may_manage_account()?;
    }
    retry_write(|| async {
        let tx = auth::begin_account_change(app, viewer.identity()).await?;
        delete(app, tx, viewer.identity(), (viewer.identity().user_id, &viewer.identity().name), id).await
    })
    .await
}

/// Lists a user's tokens.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_of(app: &App, _: &Owner, user: &UserName) -> Result<Vec<Token>, Error> {
    let mut conn = app.db.read().await?;
    let user = users::find(&mut conn, user).await?;
    Ok(tokens::list(&mut conn, user.id).await?)
}

/// Revokes a token of a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn revoke_of(app: &App, owner: &Owner, user: &UserName, id: TokenId) -> Result<(), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = users::find(tx.conn(), user).await?;
        delete(app, tx, owner.identity(), (user.id, &user.name), id).await
    })
    .await
}

/// Revokes all tokens of a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn revoke_all_of(app: &App, owner: &Owner, user: &UserName) -> Result<(), Error> {
    retry_write(|| async {
        let mut tx = auth::begin_account_change(app, owner.identity()).await?;
        let user = users::find(tx.conn(), user).await?;
        tokens::delete_all(tx.conn(), user.id).await?;
        audit::commit(tx, app, &owner.identity().into(), &[Event::TokensRevoked { user: &user.name }]).await
    })
    .await
}

async fn delete(
    app: &App,
    mut tx: WriteTx,
    by: &Identity,
    (user_id, user): (UserId, &UserName),
    id: TokenId,
) -> Result<(), Error> {
    if !tokens::delete(tx.conn(), user_id, id).await? {
        return Err(Error::NotFound(format!("there is no token {id}")));
    }
    audit::commit(tx, app, &by.into(), &[Event::TokenRevoked { user, id }]).await
}
