//! Sockets and bodies that record the progress of the client.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::activity::{Activity, Answer, Request};

/// The maximum size of a response chunk, in bytes: an HTTP/2 frame. The rest stays in the body, where it
/// shows that the client does not read.
const CHUNK_BYTES: usize = 16 * 1024;

/// A socket.
pub struct Stream {
    inner: TcpStream,
    activity: Arc<Activity>,
}

impl Stream {
    pub fn new(inner: TcpStream, activity: Arc<Activity>) -> Self {
        Self { inner, activity }
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.activity.blocked(written.is_pending());
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// A response body.
pub struct AnswerBody {
    inner: Body,
    rest: Bytes,
    answer: Answer,
}

impl AnswerBody {
    pub fn new(inner: Body, request: Arc<Request>) -> Self {
        Self { inner, rest: Bytes::new(), answer: Answer::begin(request) }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.answer.waits_for_service();
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)?) else {
                return Poll::Ready(None);
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let size = self.rest.len().min(CHUNK_BYTES);
        let piece = self.rest.split_to(size);
        self.answer.waits_for_client();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// Wraps a request body. The request is running until its body is dropped.
pub fn request_body(body: Incoming, request: Arc<Request>) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _ = &request; // held until the body is dropped
        frame
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::serve::activity::Waits;

    #[tokio::test]
    async fn a_large_frame_is_handed_on_in_pieces_and_none_is_changed() {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let waits = Waits { head: DAY, idle: DAY, unread: DAY };
        let activity = Arc::new(Activity::new(waits, tokio::sync::watch::channel(()).1));
        let all = Bytes::from((0..=u8::MAX).cycle().take(3 * CHUNK_BYTES + 1).collect::<Vec<u8>>());
        let mut body =
            AnswerBody::new(Body::from(all.clone()), Request::begin(&activity, axum::http::Version::HTTP_11));
        let (mut sizes, mut read) = (Vec::new(), Vec::new());
        while !body.is_end_stream() {
            let left = (all.len() - read.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            let piece = body.frame().await.expect("a frame").expect("no error").into_data().expect("data");
            sizes.push(piece.len());
            read.extend_from_slice(&piece);
        }
        assert_eq!(sizes, [CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES, 1]);
        assert_eq!(read, all);
        assert!(body.frame().await.is_none());
    }
}
