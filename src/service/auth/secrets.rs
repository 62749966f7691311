//! Random secrets, shown once and stored as a hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The prefix of API tokens, which lets secret scanners find them.
pub const TOKEN_PREFIX: &str = "rsh_";

/// A secret of 256 random bits. `Debug` does not print it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Creates an API token.
    #[must_use]
    pub fn token() -> Self {
        Self(format!("{TOKEN_PREFIX}{}", random()))
    }

    /// Creates a session cookie or a one-time code.
    #[must_use]
    pub fn session() -> Self {
        Self(random())
    }

    /// Wraps a secret received from a client.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the secret itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 in base64url, which is stored and compared. A random secret needs no slow hash,
    /// and comparing hashes leaks nothing about the secret by timing.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
