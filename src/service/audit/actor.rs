//! Who does or attempts something, and from where.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use crate::{
    domain::UserName,
    service::{AuthMethod, Identity},
};

/// The origin of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The client's address, as reported by trusted proxies.
    pub address: IpAddr,
    /// The request id, also sent as `X-Request-Id`.
    pub id: Arc<str>,
}

/// The user or program that does or attempts something.
#[derive(Debug, Clone)]
pub struct Actor<'a> {
    pub(super) user: Option<&'a UserName>,
    pub(super) via: Cow<'static, str>,
    pub(super) request: Option<&'a RequestContext>,
}

impl<'a> Actor<'a> {
    /// A sign-in with a password. The user is `None` if no user has this name.
    #[must_use]
    pub const fn with_password(user: Option<&'a UserName>, request: &'a RequestContext) -> Self {
        Self { user, via: Cow::Borrowed("password"), request: Some(request) }
    }

    /// An unknown user; `presents` is the kind of credential: `token`, `session` or `setup`.
    #[must_use]
    pub const fn unknown(presents: &'static str, request: &'a RequestContext) -> Self {
        Self { user: None, via: Cow::Borrowed(presents), request: Some(request) }
    }

    /// The program itself.
    #[must_use]
    pub const fn service() -> Actor<'static> {
        Actor { user: None, via: Cow::Borrowed("service"), request: None }
    }
}

impl<'a> From<&'a Identity> for Actor<'a> {
    fn from(identity: &'a Identity) -> Self {
        let via = match &identity.via {
            AuthMethod::Password { .. } => Cow::Borrowed("password"),
            via => Cow::Owned(via.to_string()),
        };
        Self { user: Some(&identity.name), via, request: identity.request.as_ref() }
    }
}
