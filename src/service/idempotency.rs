//! Idempotency keys: a repeated request is done once.
//!
//! A write with a key stores its result in the same transaction. A repeated request gets the stored result.
//! If two equal requests arrive at the same time, on any instances, the second waits for the first.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{App, Error};
use crate::{
    db::{Conn, DbError, WriteTx, deadline, idempotency as db},
    domain::UserId,
};

/// How long results are stored.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Identifies a repeated request. The default has no key: each request is done.
#[derive(Default)]
pub struct IdempotencyKey(Option<Sent>);

struct Sent {
    key: String,
    request: [u8; 32],
}

/// The outcome of claiming a key.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(super) enum Claim<T> {
    /// The write has to be done.
    New(IdempotentTx),
    /// The write was done before, with this result.
    Replay(T),
}

/// A write transaction that stores its result.
pub(super) struct IdempotentTx {
    tx: WriteTx,
    key: Option<Box<Key>>,
}

/// The key as stored, and the encryption of its result.
struct Key {
    user_id: UserId,
    name: String,
    seal: LessSafeKey,
    request: [u8; 32],
}

impl IdempotencyKey {
    /// Creates a key from the client's value and a digest of the whole request.
    #[must_use]
    pub fn new(key: String, request: [u8; 32]) -> Self {
        Self(Some(Sent { key, request }))
    }

    /// Claims the key in a transaction that has just begun. Check permissions before, and the current state
    /// after it: the state may have changed since the first request.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the user sent another request with the same key.
    pub(super) async fn begin<T: DeserializeOwned>(
        &self,
        mut tx: WriteTx,
        app: &App,
        user_id: UserId,
    ) -> Result<Claim<T>, Error> {
        let Some(sent) = &self.0 else { return Ok(Claim::New(tx.into())) };
        let key = Key::new(user_id, sent).map_err(failed)?;
        if key.claim(tx.conn(), app).await? {
            return Ok(Claim::New(IdempotentTx { tx, key: Some(Box::new(key)) }));
        }
        let sealed = db::result(tx.conn(), user_id, &key.name).await?;
        let result = key.open(&sealed.unwrap_or_default()).ok_or(Error::KeyReused)?;
        let result = serde_json::from_slice(&result).map_err(failed)?;
        // On SQLite the result may be part of a group that is not committed yet; this waits for it.
        tx.commit().await?;
        // The catalogue may lack the large change of the first request.
        deadline::in_time("loading the catalogue", app.catalogue.large_are_applied()).await?;
        Ok(Claim::Replay(result))
    }
}

impl IdempotentTx {
    /// Returns the connection of the transaction.
    pub(super) fn conn(&mut self) -> &mut Conn {
        self.tx.conn()
    }

    /// Commits what was written so far, lets waiting writers run during `pause`, and begins the next
    /// transaction. The key is not claimed meanwhile. The caller must prevent the same write, and call
    /// [`IdempotentTx::claim_again`] at the end.
    pub(super) async fn commit_and_continue(
        &mut self,
        app: &App,
        pause: impl Future<Output = ()>,
    ) -> Result<(), DbError> {
        if let Some(key) = &self.key {
            db::give_back(self.tx.conn(), key.user_id, &key.name).await?;
        }
        self.tx.commit_and_continue(&app.db, pause).await
    }

    /// Claims the key again.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if another write has claimed it meanwhile.
    pub(super) async fn claim_again(&mut self, app: &App) -> Result<(), Error> {
        match &self.key {
            Some(key) if !key.claim(self.tx.conn(), app).await? => Err(Error::KeyReused),
            _ => Ok(()),
        }
    }

    /// Commits the transaction with its result.
    pub(super) async fn commit<T: Serialize>(mut self, result: T) -> Result<T, Error> {
        if let Some(key) = self.key {
            let sealed = key.seal(serde_json::to_vec(&result).map_err(failed)?).map_err(failed)?;
            db::keep(self.tx.conn(), key.user_id, &key.name, &sealed).await?;
        }
        self.tx.commit().await?;
        Ok(result)
    }
}

impl Key {
    /// Stored results are encrypted with a key derived from the client's value (HKDF, RFC 5869). A copy of
    /// the database neither reveals them nor allows guessing requests, which may contain passwords.
    fn new(user_id: UserId, sent: &Sent) -> Result<Self, Unspecified> {
        let derived = Salt::new(HKDF_SHA256, b"reelshelf Idempotency-Key").extract(sent.key.as_bytes());
        let user = user_id.get().to_be_bytes();
        let mut name = [0; 32];
        derived.expand(&[b"name", &user], HKDF_SHA256)?.fill(&mut name)?;
        let seal = UnboundKey::from(derived.expand(&[b"seal", &user], &AES_256_GCM)?);
        Ok(Self {
            user_id,
            name: STANDARD_NO_PAD.encode(name),
            seal: LessSafeKey::new(seal),
            request: sent.request,
        })
    }

    /// Claims the key. Returns whether it was free.
    async fn claim(&self, conn: &mut Conn, app: &App) -> Result<bool, DbError> {
        let now = app.now();
        let expired = now - KEPT_FOR;
        let free = db::take(conn, self.user_id, &self.name, now, expired).await?;
        if free {
            db::remove_expired(conn, expired).await?;
        }
        Ok(free)
    }

    /// Encrypts a result, bound to the request.
    fn seal(&self, mut result: Vec<u8>) -> Result<String, Unspecified> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let request = Aad::from(&self.request);
        self.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), request, &mut result)?;
        Ok(STANDARD_NO_PAD.encode([&nonce[..], &result].concat()))
    }

    /// Decrypts a result. Returns `None` if it belongs to another request.
    fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut result = sealed.to_vec();
        let length = self.seal.open_in_place(nonce, Aad::from(&self.request), &mut result).ok()?.len();
        result.truncate(length);
        Some(result)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(format!("a result could not be kept or read again: {error}"))
}

impl From<WriteTx> for IdempotentTx {
    /// Creates a transaction without a key.
    fn from(tx: WriteTx) -> Self {
        Self { tx, key: None }
    }
}
