//! Sessions and tokens on pages, and the forms that refer to them.

use axum::http::StatusCode;

use super::user_agent;
use crate::{
    documents,
    domain::{Id, SessionId, Time, TokenId, UserName},
    format,
    http::{extract::form::Form, problem::Problem},
};

/// A session on a page.
pub struct Session {
    pub id: SessionId,
    pub program: String,
    pub address: String,
    pub since: Moment,
    pub seen: Moment,
    /// Whether it is the current session.
    pub current: bool,
}

impl Session {
    pub fn shown(session: documents::Session) -> Self {
        Self {
            current: session.current,
            id: session.id,
            program: user_agent::in_words(&session.user_agent),
            address: session.address,
            since: Moment::of(session.created_at),
            seen: Moment::of(session.seen_at),
        }
    }
}

/// A token on a page.
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub role: &'static str,
    pub made: Moment,
    pub ends: Option<Moment>,
    pub is_over: bool,
}

impl Token {
    pub fn shown(token: &documents::Token, now: Time) -> Self {
        Self {
            id: token.id,
            name: token.name.as_str().to_owned(),
            role: token.role.as_str(),
            made: Moment::of(token.created_at),
            ends: token.expires_at.map(Moment::of),
            is_over: token.expires_at.is_some_and(|end| end <= now),
        }
    }
}

/// A time, for programs and for people.
pub struct Moment(pub Time, pub String);

impl Moment {
    fn of(time: Time) -> Self {
        Self(time, format::moment_utc(time))
    }
}

/// Reads the id of a session or token from a form.
pub fn id_in<T: Id>(form: &Form) -> Result<T, Problem> {
    let problem = |_| Problem::new(StatusCode::NOT_FOUND, format!("there is no such {}", T::NOUN));
    form.get("id").parse().map_err(problem)
}

/// Reads the user name from a form or URL.
pub fn named(form: &Form) -> Result<UserName, Problem> {
    let problem = |_| Problem::new(StatusCode::NOT_FOUND, "there is no such user");
    UserName::parse(form.get("name")).map_err(problem)
}

/// Returns the URL of the page with a user's sessions and tokens.
pub fn access_address(name: &UserName) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_str().as_bytes()).collect();
    format!("/users/access?name={name}")
}
