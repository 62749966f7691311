//! Problem documents (RFC 9457) of a server, and their messages.

use std::fmt;

use anyhow::bail;
use reqwest::{Response, header};
use serde::Deserialize;
use serde_json::Value;

use super::{server::Server, values::option_name, words::shown};

/// An error response of a server.
#[derive(Debug, Deserialize, thiserror::Error)]
pub struct Refusal {
    pub status: u16,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Wrong>,
    /// The report of an aborted import.
    pub report: Option<Value>,
}

/// A violation.
#[derive(Debug, Deserialize)]
pub struct Wrong {
    #[serde(alias = "parameter", default)]
    pub pointer: String,
    pub detail: String,
}

impl Refusal {
    /// Reads an error response.
    ///
    /// # Errors
    /// If it is not a problem document, and so not from this service.
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
