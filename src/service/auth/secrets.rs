//! Random secrets that are shown once and stored as a hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What every API token starts with, so that it is recognised where it should not be.
pub const TOKEN_PREFIX: &str = "rsh_";

/// A secret of 256 random bits. Neither `Debug` nor anything else shows it by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new API token.
    #[must_use]
    pub fn token() -> Self {
        Self(format!("{TOKEN_PREFIX}{}", random()))
    }

    /// A new session's cookie, or another code that is used in an address.
    #[must_use]
    pub fn session() -> Self {
        Self(random())
    }

    /// What somebody presents as a secret.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret, to be shown this once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored and compared: SHA-256, in base64url. The secret is random, so no slow hash is
    /// needed, and comparing hashes tells nothing about the secret by its time.
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
