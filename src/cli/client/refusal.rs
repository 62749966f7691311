//! A server's problem document (RFC 9457), and the message it becomes.

use std::fmt;

use anyhow::bail;
use reqwest::{Response, header};
use serde::Deserialize;
use serde_json::Value;

use super::{server::Server, values::option_name, words::shown};

/// Why a server did not do what it was asked for.
#[derive(Debug, Deserialize, thiserror::Error)]
pub struct Refusal {
    pub status: u16,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Wrong>,
    /// What an import found before it was given up.
    pub report: Option<Value>,
}

/// Where something is wrong, and why.
#[derive(Debug, Deserialize)]
pub struct Wrong {
    #[serde(alias = "parameter", default)]
    pub pointer: String,
    pub detail: String,
}

impl Refusal {
    /// Reads the answer that refuses.
    ///
    /// # Errors
    /// It is no problem document, so it comes from something else on the way.
    pub async fn of(response: Response, server: &Server) -> anyhow::Result<Self> {
        let status = response.status();
        if let Some(place) = response.headers().get(header::LOCATION).filter(|_| status.is_redirection()) {
            bail!(
                "{server} redirects to {}; use that address",
                shown(&String::from_utf8_lossy(place.as_bytes()))
            );
        }
        let bytes = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice(&bytes) {
            Ok(refusal) => Ok(refusal),
            Err(_) => bail!("{server} answered {status}, and not as a Reelshelf does"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.detail))?;
        for Wrong { pointer, detail } in &self.errors {
            write!(f, "\n  {} {}", shown(option_name(pointer.trim_start_matches('/'))), shown(detail))?;
        }
        Ok(())
    }
}
