//! Typed path parameters. An invalid parameter results in 404.

use axum::{
    extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::{StatusCode, request::Parts},
};

use crate::{
    domain::{ChangeId, Id, MovieId, SessionId, TokenId, UserName},
    http::problem::Problem,
};

/// A path parameter, or a pair of them.
pub struct Path<T>(pub T);

/// A type of path parameters.
pub trait PathParam: Sized {
    /// Parses the parameter.
    ///
    /// # Errors
    /// The detail of the 404 response.
    fn read(text: &str) -> Result<Self, String>;
}

impl PathParam for MovieId {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("a movie's id is a whole number from 1 to {}", i64::MAX))
    }
}

macro_rules! known_by_id {
    ($($id:ident),+) => {$(
        impl PathParam for $id {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("there is no such {}", Self::NOUN))
            }
        }
    )+};
}

known_by_id!(ChangeId, SessionId, TokenId);

impl PathParam for UserName {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|invalid| format!("a user's name {invalid}"))
    }
}

/// Parses a path parameter.
///
/// # Errors
/// 404 if it is invalid.
pub fn read<T: PathParam>(text: &str) -> Result<T, Problem> {
    T::read(text).map_err(|detail| Problem::new(StatusCode::NOT_FOUND, detail))
}

impl<S: Send + Sync, T: PathParam> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await?;
        let (_, text) = params.iter().next().unwrap_or_default();
        Ok(Self(read(text)?))
    }
}

impl<S: Send + Sync, A: PathParam, B: PathParam> FromRequestParts<S> for Path<(A, B)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await?;
        let mut texts = params.iter().map(|(_, text)| text);
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        Ok(Self((read(first)?, read(second)?)))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state).await.map_err(|rejection| match rejection {
        RawPathParamsRejection::InvalidUtf8InPathParam(_) => {
            let detail = "the address is no UTF-8 when its percent signs are decoded";
            Problem::new(StatusCode::BAD_REQUEST, detail)
        }
        _ => Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_nothing_says_what_would() {
        assert_eq!(MovieId::read("42"), Ok(MovieId::from_stored(42)));
        assert_eq!(
            MovieId::read("x"),
            Err("a movie's id is a whole number from 1 to 9223372036854775807".to_owned())
        );
        assert_eq!(ChangeId::read("0"), Err("there is no such change".to_owned()));
        assert_eq!(SessionId::read("-1"), Err("there is no such session".to_owned()));
        assert_eq!(TokenId::read("+1"), Err("there is no such token".to_owned()));
        assert_eq!(UserName::read("").unwrap_err(), "a user's name must not be empty");
    }
}
