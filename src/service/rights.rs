//! Identities and permissions. The permission types can only be created by a check.

use std::sync::Arc;

use super::{Error, audit::RequestContext};
use crate::{
    db::log::Tail,
    domain::{Role, SessionId, Time, TokenId, TokenName, UserId, UserName},
};

/// The signed-in user and how they signed in.
#[derive(Debug, Clone)]
pub struct Identity {
    pub user_id: UserId,
    pub name: UserName,
    /// The role of this request: the user's, or a lesser one of the token.
    pub role: Role,
    pub via: AuthMethod,
    /// The request, or `None` at the console.
    pub request: Option<RequestContext>,
    /// The tail of the log, read when the token or session was checked.
    pub(super) seen: Option<Arc<Tail>>,
}

/// How the user authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthMethod {
    /// User name and password with the request.
    Password {
        /// The SHA-256 of the stored hash that the password matched.
        stored: [u8; 32],
    },
    /// An API token.
    Token {
        id: TokenId,
        name: TokenName,
        /// Whether the token has a lesser role than its user had.
        narrowed: bool,
        expires_at: Option<Time>,
    },
    /// A browser session.
    Session { id: SessionId },
    /// The administrator, on the machine itself.
    Console,
}

impl std::fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password { .. } => f.write_str("password"),
            Self::Token { name, .. } => write!(f, "token {}", name.as_str()),
            Self::Session { .. } => f.write_str("session"),
            Self::Console => f.write_str("console"),
        }
    }
}

/// May read: every signed-in user.
#[derive(Debug, Clone)]
pub struct Viewer(Identity);

/// May also change movies.
#[derive(Debug, Clone)]
pub struct Editor(Identity);

/// May also manage users.
#[derive(Debug, Clone)]
pub struct Owner(Identity);

impl From<Identity> for Viewer {
    fn from(identity: Identity) -> Self {
        Self(identity)
    }
}

impl TryFrom<Identity> for Editor {
    type Error = Error;

    fn try_from(identity: Identity) -> Result<Self, Error> {
        at_least(Role::Editor, identity).map(Self)
    }
}

impl TryFrom<Identity> for Owner {
    type Error = Error;

    fn try_from(identity: Identity) -> Result<Self, Error> {
        at_least(Role::Owner, identity).map(Self)
    }
}

fn at_least(role: Role, identity: Identity) -> Result<Identity, Error> {
    if identity.role >= role {
        return Ok(identity);
    }
    Err(Error::Forbidden(format!(
        "this takes the role {}; yours is {}",
        role.as_str(),
        identity.role.as_str()
    )))
}

impl Viewer {
    /// Returns the user and how they signed in.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.0
    }

    /// Rejects tokens with a lesser role: they must not gain permissions.
    pub(super) fn may_manage_account(&self) -> Result<(), Error> {
        match self.0.via {
            AuthMethod::Token { narrowed: true, .. } => {
                Err(Error::Forbidden("a token of a lesser role may not change the account".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl Editor {
    /// Returns the user and how they signed in.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.0
    }
}

impl Owner {
    /// Returns the user and how they signed in.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.0
    }

    /// Returns the administrator, who has access to the database itself.
    ///
    /// # Panics
    /// Never: the name is valid.
    #[must_use]
    pub fn console() -> Self {
        let name = UserName::parse(UserName::CONSOLE).expect("letters are a valid name");
        Self(Identity {
            user_id: UserId::CONSOLE,
            name,
            role: Role::Owner,
            via: AuthMethod::Console,
            request: None,
            seen: None,
        })
    }
}
