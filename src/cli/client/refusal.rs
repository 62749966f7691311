//! Problem documents (RFC 9457) of a server, and their messages.

use std::fmt;

use anyhow::bail;
use reqwest::{Response, header};

use super::{
    server::Server,
    words::{reason_or, shown},
};
use crate::{documents::Problem, format::field_of_api};

/// An error response of a server.
#[derive(Debug, thiserror::Error)]
pub struct Refusal(pub Problem);

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
            Ok(problem) => Ok(Self(problem)),
            Err(_) => bail!("{server} answered {status}, and not as a Reelshelf does"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&reason_or(&self.0.detail, &self.0.reason))?;
        for violation in &self.0.errors {
            write!(f, "\n  {} {}", shown(field_of_api(violation.name())), shown(&violation.detail))?;
        }
        Ok(())
    }
}
