//! Authentication by API token.

use super::Secret;
use crate::{
    db::tokens,
    service::{
        App, AuthMethod, Error, Identity,
        audit::{Actor, Refusal, RequestContext},
    },
};

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
