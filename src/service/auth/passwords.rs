//! Argon2id, a few computations at a time, and pairs that were verified a short while ago.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::{
    domain::{Password, Time},
    service::Error,
};

/// Computations at one time: each takes 19 MiB and a processor for some tens of milliseconds.
const AT_ONCE: usize = 2;

/// A hash of no password: whoever has no user computes against this one, so that his answer takes
/// as long. Same parameters as ours: the OWASP Password Storage Cheat Sheet's for Argon2id (19 MiB, 2 passes,
/// 1 lane), which are also the library's default.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$Q0N7VhgI6HFOtvUUBEHhMG0zVyx8cKp36bhhSpZlLRs";

/// Computes Argon2id off the threads that serve other requests.
pub(super) struct Hasher(Semaphore);

impl Default for Hasher {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Hasher {
    /// Hashes a password, in the PHC string format.
    pub(super) async fn hash(&self, password: Password) -> Result<String, Error> {
        let hashed = self.compute(move || {
            Argon2::default().hash_password(password.expose().as_bytes()).map(|hash| hash.to_string())
        });
        hashed.await?.map_err(|e| Error::Failed(format!("Argon2id failed: {e}")))
    }

    /// Whether a password has that hash; without one it takes as long and is wrong.
    pub(super) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Error> {
        let password = password.to_owned();
        self.compute(move || {
            let known = hash.is_some();
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY));
            let matches =
                hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            matches && known
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let failed =
            |e: &dyn std::fmt::Display| Error::Failed(format!("a password could not be hashed: {e}"));
        let _permit = self.0.acquire().await.map_err(|e| failed(&e))?;
        tokio::task::spawn_blocking(work).await.map_err(|e| failed(&e))
    }
}

/// How long a verified pair is remembered, in milliseconds: 5 minutes.
const REMEMBERED: i64 = 5 * 60 * 1000;
/// How many are remembered at the most.
const MOST_REMEMBERED: usize = 1000;

/// Pairs of a password and the stored hash that it matched, as an HMAC under a key that is made at
/// start and never leaves this process. The stored hash is read from the database at each request:
/// when the password or the user is gone, so is what the pair would have to match.
pub(super) struct Remembered {
    key: [u8; 32],
    until: Mutex<HashMap<[u8; 32], Time>>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { key: rand::random(), until: Mutex::default() }
    }
}

impl Remembered {
    pub(super) fn knows(&self, hash: &str, password: &str, now: Time) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&self.mac(hash, password)).is_some_and(|until| *until > now)
    }

    pub(super) fn remember(&self, hash: &str, password: &str, now: Time) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= MOST_REMEMBERED {
            until.retain(|_, until| *until > now);
        }
        if until.len() < MOST_REMEMBERED {
            until.insert(self.mac(hash, password), now.plus_millis(REMEMBERED));
        }
    }

    fn mac(&self, hash: &str, password: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(hash.as_bytes()); // a PHC string holds no NUL, so the two cannot run into each other
        mac.update(&[0]);
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserName;

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_owasp_parameters_and_verifies() {
        let hasher = Hasher::default();
        let name = UserName::parse("olivia").unwrap();
        let hash = hasher.hash(Password::parse("kX9-vbq2#w", &name).unwrap()).await.unwrap();
        let (parameters, _) = NOBODY.split_at("$argon2id$v=19$m=19456,t=2,p=1$".len());
        assert!(hash.starts_with(parameters), "{hash}");
        assert!(hasher.verify("kX9-vbq2#w", Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("kX9-vbq2#W", Some(hash)).await.unwrap());
        assert!(!hasher.verify("kX9-vbq2#w", None).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok(), "computing against it takes as long");
    }

    #[test]
    fn a_pair_is_remembered_for_a_while_and_only_with_its_hash() {
        let remembered = Remembered::default();
        let now = Time::from_millis(0);
        remembered.remember("hash", "password", now);
        assert!(remembered.knows("hash", "password", now.plus_millis(REMEMBERED - 1)));
        assert!(!remembered.knows("hash", "password", now.plus_millis(REMEMBERED)));
        assert!(!remembered.knows("another hash", "password", now));
        assert!(!remembered.knows("hash", "another password", now));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let remembered = Remembered::default();
        for n in 0..=MOST_REMEMBERED {
            remembered.remember("hash", &n.to_string(), Time::from_millis(0));
        }
        assert!(!remembered.knows("hash", &MOST_REMEMBERED.to_string(), Time::from_millis(1)));
        remembered.remember("hash", "later", Time::from_millis(REMEMBERED));
        assert!(remembered.knows("hash", "later", Time::from_millis(REMEMBERED)));
    }
}
