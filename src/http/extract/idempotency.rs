//! The `Idempotency-Key` header.

use axum::{
    body::{Body, Bytes},
    extract::FromRequest,
    http::{Request, StatusCode, header},
};
use sha2::{Digest, Sha256};

use super::body::{media_type, parse, read_up_to, unsupported};
use crate::{
    http::{Shared, problem::Problem},
    json::JsonValue,
    limits::{MAX_BODY_BYTES, MAX_IDEMPOTENCY_KEY_CHARS},
    service::IdempotencyKey,
};

/// The key of a request, if any, and the digest of the request read so far.
pub struct Key(Option<(String, Sha256)>);

impl Key {
    /// Returns the key of a request whose body was not read yet.
    pub fn of(request: &Request<Body>) -> Result<Self, Problem> {
        let mut keys = request.headers().get_all("idempotency-key").iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        let valid = |key: &&str| {
            (1..=MAX_IDEMPOTENCY_KEY_CHARS).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let Some(key) = key.to_str().ok().filter(valid).filter(|_| keys.next().is_none()) else {
            let rule = format!(
                "Idempotency-Key must be given once, as 1 to {MAX_IDEMPOTENCY_KEY_CHARS} visible ASCII characters"
            );
            return Err(Problem::new(StatusCode::BAD_REQUEST, rule));
        };
        let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
        let mut digest = Sha256::new();
        for part in [request.method().as_str(), place, &media_type(request.headers())] {
            digest.update(part);
            digest.update([0]); // a separator that occurs in none of them
        }
        Ok(Self(Some((key.to_owned(), digest))))
    }

    /// Adds a chunk of the body to the digest.
    pub fn update(&mut self, piece: &[u8]) {
        if let Some((_, digest)) = &mut self.0 {
            digest.update(piece);
        }
    }

    /// Returns the idempotency key, after the whole body was added.
    pub fn finish(self) -> IdempotencyKey {
        self.0.map_or_else(IdempotencyKey::default, |(key, digest)| {
            IdempotencyKey::new(key, digest.finalize().into())
        })
    }
}

/// Reads a whole body, up to a number of bytes, with its idempotency key.
pub async fn read_with_key(
    largest: usize,
    request: Request<Body>,
) -> Result<(Bytes, IdempotencyKey), Problem> {
    let mut key = Key::of(&request)?;
    let body = read_up_to(largest, request).await?;
    key.update(&body);
    Ok((body, key.finish()))
}

/// A JSON body with its idempotency key.
pub struct JsonWithKey(pub JsonValue, pub IdempotencyKey);

impl FromRequest<Shared> for JsonWithKey {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _: &Shared) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/json" {
            return Err(unsupported(header::ACCEPT, "application/json"));
        }
        let (body, key) = read_with_key(MAX_BODY_BYTES, request).await?;
        Ok(Self(parse(&body)?, key))
    }
}
