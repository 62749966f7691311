//! Sessions and tokens as the pages show them, and the forms that name one.

use axum::http::StatusCode;

use super::user_agent;
use crate::{
    documents,
    domain::{Id, SessionId, Time, TokenId, UserName},
    format,
    http::{extract::form::Form, problem::Problem},
};

/// A session as the pages show it.
pub struct Session {
    pub id: SessionId,
    pub program: String,
    pub address: String,
    pub since: Moment,
    pub seen: Moment,
    /// Whether it is the one that asks.
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

/// A token as the pages show it.
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

/// The id that a form sends, of a session or a token.
pub fn id_in<T: Id>(form: &Form) -> Result<T, Problem> {
    let problem = |_| Problem::new(StatusCode::NOT_FOUND, format!("there is no such {}", T::NOUN));
    form.get("id").parse().map_err(problem)
}

/// The user that a form, or an address, names.
pub fn named(form: &Form) -> Result<UserName, Problem> {
    let problem = |_| Problem::new(StatusCode::NOT_FOUND, "there is no such user");
    UserName::parse(form.get("name")).map_err(problem)
}

/// The address of the page with the sessions and tokens of a user.
pub fn access_address(name: &UserName) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_str().as_bytes()).collect();
    format!("/users/access?name={name}")
}
