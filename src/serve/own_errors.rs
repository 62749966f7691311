//! Replaces responses of the HTTP library itself: to malformed HTTP/1.1 requests, and to heads and URLs that
//! are too long. They have no body and no request id, so a problem document (RFC 9457) is sent instead.

use std::{
    fmt::Write,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::Problem;

/// A stream that the HTTP library writes to.
pub struct OwnErrors<S> {
    inner: S,
    /// The rest of a replacement that is being written.
    rest: Vec<u8>,
}

impl<S> OwnErrors<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, rest: Vec::new() }
    }
}

impl<S: AsyncWrite + Unpin> OwnErrors<S> {
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OwnErrors<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OwnErrors<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(context))?;
        match in_its_place(bytes) {
            None => Pin::new(&mut self.inner).poll_write(context, bytes),
            Some(answer) => {
                self.rest = answer;
                // The rest is written with the flush at the latest.
                match self.poll_rest(context) {
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    _ => Poll::Ready(Ok(bytes.len())),
                }
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(context))?;
        match pieces {
            [only] => self.poll_write(context, only),
            _ => Pin::new(&mut self.inner).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Returns the replacement for a response of the library itself. Other responses have a request id and get
/// `None`.
fn in_its_place(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = bytes.strip_prefix(b"HTTP/1.1 4").or_else(|| bytes.strip_prefix(b"HTTP/1.0 4"))?;
    let head = str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let (status, fields) = head.split_once("\r\n")?;
    if fields.contains("\r\n\r\n") || fields.to_ascii_lowercase().contains("x-request-id:") {
        return None;
    }
    let status = StatusCode::from_bytes(format!("4{}", status.get(..2)?).as_bytes()).ok()?;
    let detail = match status {
        StatusCode::URI_TOO_LONG => "the address is too long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the head of the request is too large, or has too many fields"
        }
        _ => "the head of the request is not valid HTTP/1.1",
    };
    let id = format!("{:016x}", rand::random::<u64>());
    tracing::debug!(id, status = status.as_u16(), "a request could not be read");
    let problem = Problem::new(status, detail);
    let body = problem.to_json();
    let fields =
        fields.split("\r\n").filter(|field| !field.to_ascii_lowercase().starts_with("content-length:"));
    let mut answer = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), problem.document.title);
    for field in fields.filter(|field| !field.is_empty()) {
        answer.push_str(field);
        answer.push_str("\r\n");
    }
    let _ = write!(
        answer,
        "content-type: application/problem+json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nx-request-id: {id}\r\n\r\n",
        body.len()
    );
    let mut answer = answer.into_bytes();
    answer.extend_from_slice(&body);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::in_its_place;

    #[test]
    fn only_what_the_library_answers_by_itself_is_replaced() {
        let own = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = String::from_utf8(in_its_place(own).expect("an answer")).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\ndate: x\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("x-request-id: ") && head.contains("application/problem+json"), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 431);
        for other in [
            &b"HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\nX-Request-Id: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-le",
            b"\0\0\x12\x04",
            b"",
        ] {
            assert_eq!(in_its_place(other), None, "{other:?}");
        }
    }
}
