//! Response compression by `Accept-Encoding` (RFC 9110, section 12.5.3) with bounded memory: a limited number
//! of encoders, each with a small window. Static content is compressed once.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use async_compression::{
    Level,
    brotli::EncoderParams,
    tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder},
    zstd::CParameter,
};
use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use futures_util::TryStreamExt;
use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncReadExt},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::limits::MAX_ENCODERS;

/// Smaller responses, in bytes, are not compressed.
pub const MIN_BYTES: usize = 128;
/// The binary logarithm of the encoder window in bytes. With it, an encoder takes less than 1 MiB.
const WINDOW_LOG: u8 = 16;

/// Bytes compressed at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Permits for encoders.
static ENCODERS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MAX_ENCODERS)));

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    /// In order of preference.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the coding that the client prefers; `None` for an uncompressed response.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut qualities = [None; Self::ALL.len()];
        let (mut others, mut identity) = (0.0, 0.0);
        for (name, quality) in values.flat_map(|value| value.split(',')).filter_map(coding_and_quality) {
            match Self::ALL.iter().position(|coding| coding.as_str().eq_ignore_ascii_case(name)) {
                Some(place) => qualities[place] = Some(quality),
                None if name == "*" => others = quality,
                None if name.eq_ignore_ascii_case("identity") => identity = quality,
                None => {}
            }
        }
        let mut best = (None, 0.0);
        for (coding, quality) in Self::ALL.into_iter().zip(qualities) {
            let quality = quality.unwrap_or(others);
            if quality > best.1 && quality >= identity {
                best = (Some(coding), quality);
            }
        }
        best.0
    }

    /// Compresses static content, at a higher level than dynamic responses.
    pub async fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoded = Vec::new();
        match self {
            Self::Zstd => {
                ZstdEncoder::with_quality(bytes, Level::Precise(9)).read_to_end(&mut encoded).await?
            }
            Self::Brotli => {
                BrotliEncoder::with_quality(bytes, Level::Precise(5)).read_to_end(&mut encoded).await?
            }
            Self::Gzip => {
                GzipEncoder::with_quality(bytes, Level::Precise(6)).read_to_end(&mut encoded).await?
            }
        };
        Ok(encoded)
    }
}

fn coding_and_quality(range: &str) -> Option<(&str, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?;
    let quality = match parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))) {
        Some(quality) => quality.parse().ok()?,
        None => 1.0,
    };
    Some((name, quality))
}

/// Marks a response that is compressed already or must not be.
#[derive(Clone, Copy)]
pub struct AsItIs;

/// Compresses a response, if an encoder is free.
pub struct Compression {
    accepted: Option<Coding>,
    is_head: bool,
}

impl Compression {
    /// Reads the accepted codings of a request.
    pub fn of(request: &Request) -> Self {
        Self { accepted: Coding::accepted(request.headers()), is_head: request.method() == Method::HEAD }
    }

    /// Compresses the response, if that makes it shorter.
    pub fn apply(self, mut response: Response) -> Response {
        if !is_compressible(&response) {
            return response;
        }
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
        let Some(coding) = self.accepted else { return response };
        let Ok(encoder) = ENCODERS.clone().try_acquire_owned() else { return response };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::ACCEPT_RANGES);
        if self.is_head { response } else { response.map(|body| encoded(body, coding, encoder)) }
    }
}

/// Returns whether a media type is compressible and may be buffered while it is compressed.
pub fn is_text(content_type: &str) -> bool {
    (content_type.starts_with("text/") && !content_type.starts_with("text/event-stream"))
        || (content_type.starts_with("application/") && !content_type.starts_with("application/octet-stream"))
        || content_type.starts_with("image/svg+xml")
}

/// Returns whether a response depends on `Accept-Encoding`.
pub fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let declared = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let is_short =
        declared.or(response.body().size_hint().exact()).is_some_and(|length| length < MIN_BYTES as u64);
    let is_done =
        headers.contains_key(header::CONTENT_ENCODING) || response.extensions().get::<AsItIs>().is_some();
    text(header::CONTENT_TYPE).is_some_and(is_text) && !is_short && !is_done
}

fn encoded(body: Body, coding: Coding, encoder: OwnedSemaphorePermit) -> Body {
    let reader = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let reader: Box<dyn AsyncRead + Send + Unpin> = match coding {
        Coding::Zstd => Box::new(zstd(reader)),
        Coding::Brotli => {
            let params = EncoderParams::default().quality(Level::Precise(4)).window_size(WINDOW_LOG.into());
            Box::new(BrotliEncoder::with_params(reader, params))
        }
        Coding::Gzip => Box::new(GzipEncoder::new(reader)),
    };
    Body::from_stream(ReaderStream::with_capacity(reader, CHUNK_BYTES).inspect_ok(move |_| {
        let _ = &encoder; // held until the body is dropped
    }))
}

fn zstd<R: AsyncBufRead>(reader: R) -> ZstdEncoder<R> {
    ZstdEncoder::with_quality_and_params(reader, Level::Default, &[CParameter::window_log(WINDOW_LOG.into())])
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn accepted(value: &'static str) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        Coding::accepted(&headers).map(Coding::as_str)
    }

    #[test]
    fn the_coding_is_what_the_client_likes_best() {
        assert_eq!(accepted("gzip, deflate, br, zstd"), Some("zstd"));
        assert_eq!(accepted("gzip, br;q=0.9"), Some("gzip"));
        assert_eq!(accepted("GZIP;q=0.5, BR;q=0.7"), Some("br"));
        assert_eq!(accepted("*"), Some("zstd"));
        assert_eq!(accepted("*, zstd;q=0"), Some("br"));
        assert_eq!(accepted("identity, gzip;q=0"), None);
        assert_eq!(accepted("gzip;q=x"), None);
        assert_eq!(accepted(""), None);
        assert_eq!(Coding::accepted(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn only_so_many_answers_are_compressed_at_once() {
        let answer = || {
            let request = Request::get("/").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
            Compression::of(&request).apply("a".repeat(MIN_BYTES).into_response())
        };
        let mut held = Vec::new();
        for _ in 0..MAX_ENCODERS {
            held.push(answer());
        }
        assert!(held.iter().all(|answer| answer.headers()[header::CONTENT_ENCODING] == "gzip"));
        let further = answer();
        assert!(!further.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(further.headers()[header::VARY], "accept-encoding");
        let body = axum::body::to_bytes(further.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body, "a".repeat(MIN_BYTES));
        held.pop();
        assert_eq!(answer().headers()[header::CONTENT_ENCODING], "gzip");
    }
}
