//! Static files: each is compressed once and has an entity tag. They change only with the program.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::compression::{AsItIs, Coding, MIN_BYTES, is_text};

/// A static file.
pub struct StaticFile {
    content_type: String,
    bytes: Bytes,
    digest: String,
    /// The compressed bytes by coding, in the order of [`Coding::ALL`]. Each is created when first requested.
    encoded: [OnceCell<Bytes>; Coding::ALL.len()],
}

impl StaticFile {
    pub fn new(content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..12]);
        let mut content_type = content_type.into();
        if content_type.starts_with("text/") && !content_type.contains("charset") {
            content_type.push_str("; charset=utf-8");
        }
        Self { content_type, bytes, digest, encoded: [const { OnceCell::const_new() }; Coding::ALL.len()] }
    }

    /// Responds to a request with these headers.
    pub async fn answer(&self, headers: &HeaderMap) -> Response {
        let is_compressible = self.bytes.len() >= MIN_BYTES && is_text(&self.content_type);
        let coding = Coding::accepted(headers).filter(|_| is_compressible);
        let (bytes, coding) = match coding {
            Some(coding) => match self.encoded(coding).await {
                Some(bytes) => (bytes, Some(coding)),
                None => (self.bytes.clone(), None),
            },
            None => (self.bytes.clone(), None),
        };
        let tag = match coding {
            Some(coding) => format!("\"{}-{}\"", self.digest, coding.as_str()),
            None => format!("\"{}\"", self.digest),
        };
        let mut response = if is_known(headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = bytes.into_response();
            if let Some(coding) = coding {
                let value = HeaderValue::from_static(coding.as_str());
                response.headers_mut().insert(header::CONTENT_ENCODING, value);
            }
            if let Ok(content_type) = HeaderValue::from_str(&self.content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            }
            response
        };
        if is_compressible {
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Ok(tag) = HeaderValue::try_from(tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response.extensions_mut().insert(AsItIs);
        response
    }

    async fn encoded(&self, coding: Coding) -> Option<Bytes> {
        let encode = async || {
            let bytes = self.bytes.clone();
            let runtime = tokio::runtime::Handle::current();
            let encode = move || runtime.block_on(coding.encode(&bytes));
            let encoded = tokio::task::spawn_blocking(encode).await.map_err(std::io::Error::other)??;
            Ok::<_, std::io::Error>(Bytes::from(encoded))
        };
        let encoded = self.encoded[coding as usize].get_or_try_init(encode).await;
        let encoded = encoded.inspect_err(|error| tracing::error!(%error, "a file could not be compressed"));
        encoded.ok().cloned()
    }
}

/// Returns whether `If-None-Match` has this entity tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags =
        values.flat_map(|value| value.split(',')).map(|given| given.trim().trim_start_matches("W/"));
    tags.any(|given| given == tag || given == "*")
}
