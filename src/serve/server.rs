//! The server: accepts connections, speaks HTTP on each, and closes those whose clients do nothing.

use std::{
    convert::Infallible, future::poll_fn, io, net::SocketAddr, pin::pin, sync::Arc, task::Poll,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::{
    activity::{self, Activity, Overdue, Waits},
    admission::{Admission, Admitted, MaxConnections},
    own_errors::OwnErrors,
    tls::Certificate,
    watched::{AnswerBody, Stream, request_body},
};
use crate::{
    limits::{
        MAX_REQUEST_HEAD_BYTES, MAX_STREAM_BUFFER_BYTES, MAX_STREAMS_PER_CONNECTION,
        SHUTDOWN_FIRST_REQUEST_WAIT, SHUTDOWN_WAIT,
    },
    service::health::Intake,
};

/// What serves requests on a socket.
pub struct Server {
    pub listener: TcpListener,
    pub router: Router,
    /// With which the server speaks https.
    pub certificate: Option<Certificate>,
    pub waits: Waits,
    pub max: MaxConnections,
    /// Whether another process has the socket too, and accepts what is left in its queue.
    pub is_shared: bool,
    /// Learns whether connections can be accepted.
    pub intake: Arc<Intake>,
}

impl Server {
    /// Serves until it is told to end. Then it accepts what is in the socket's queue, finishes the requests
    /// that are under way, and closes all connections.
    ///
    /// # Errors
    /// The socket cannot be taken back from the runtime at the end.
    pub async fn run(self, end: impl Future<Output = ()>) -> io::Result<()> {
        let Self { listener, router, certificate, waits, max, is_shared, intake } = self;
        let accepting = Accepting {
            admission: Admission::new(max),
            router,
            certificate,
            waits,
            unheard: watch::Sender::new(()),
            ending: CancellationToken::new(),
            intake,
        };
        let mut connections = JoinSet::new();
        let mut end = pin!(end);
        loop {
            tokio::select! {
                biased;
                () = &mut end => break,
                (stream, peer, place) = accepting.next(|| listener.accept(), || sleep(ACCEPT_PAUSE)) => {
                    connections.spawn(accepting.connection(stream, peer, place));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        if !is_shared {
            // Who is in the queue has connected, and may have sent a request: closing the socket resets that.
            let listener = listener.into_std()?;
            while let Ok((stream, peer)) = listener.accept() {
                stream.set_nonblocking(true)?;
                connections.spawn(accepting.connection(TcpStream::from_std(stream)?, peer, None));
            }
        }
        // Browsers also make connections just in case.
        let _ = timeout(SHUTDOWN_FIRST_REQUEST_WAIT, accepting.unheard.closed()).await;
        accepting.ending.cancel();
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_WAIT, finished).await.is_err() {
            tracing::warn!(connections = connections.len(), "closed connections with requests under way");
        }
        connections.shutdown().await;
        Ok(())
    }
}

/// What accepts connections.
struct Accepting {
    admission: Admission,
    router: Router,
    certificate: Option<Certificate>,
    waits: Waits,
    /// Has a receiver for each connection that has sent no request.
    unheard: watch::Sender<()>,
    ending: CancellationToken,
    intake: Arc<Intake>,
}

impl Accepting {
    /// The next connection. Where there are no free file descriptors, the server tries again after a pause.
    async fn next<T, A: Future<Output = io::Result<(T, SocketAddr)>>, P: Future<Output = ()>>(
        &self,
        accept: impl Fn() -> A,
        pause: impl Fn() -> P,
    ) -> (T, SocketAddr, Option<OwnedSemaphorePermit>) {
        loop {
            let place = self.admission.place().await;
            let mut accepting = pin!(accept());
            let accepted = poll_fn(|context| {
                let polled = accepting.as_mut().poll(context);
                // While none is waiting, none is kept waiting.
                let is_failing = matches!(&polled, Poll::Ready(Err(error)) if !is_of_one_connection(error));
                self.intake.note(is_failing);
                polled
            });
            match accepted.await {
                Ok((stream, peer)) => return (stream, peer, place),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.admission.complain_of(&error);
                    drop(place);
                    pause().await;
                }
            }
        }
    }

    /// Serves a connection to its end, or closes it at once where its address has too many.
    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Option<OwnedSemaphorePermit>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let connection = self.admission.admit(place, peer).map(|admitted| Connection {
            activity: Arc::new(Activity::new(self.waits, self.unheard.subscribe())),
            unread_wait: self.waits.unread,
            router: self.router.clone(),
            ending: self.ending.clone(),
            peer,
            _admitted: admitted,
        });
        let certificate = self.certificate.clone();
        async move {
            let Some(connection) = connection else { return };
            let _ = stream.set_nodelay(true); // an error: it has been closed
            let stream = Stream::new(stream, connection.activity.clone());
            match certificate {
                None => connection.speak(stream).await,
                Some(certificate) => {
                    let handshake = certificate.acceptor().accept(stream);
                    if let Some(Ok(stream)) = connection.unless_over(handshake).await {
                        connection.speak(stream).await;
                    }
                }
            }
        }
    }
}

/// How long the server pauses when it cannot accept connections.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Whether an error concerns the connection that was to be accepted, and not the socket.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// A connection that was accepted.
struct Connection {
    activity: Arc<Activity>,
    unread_wait: Duration,
    router: Router,
    ending: CancellationToken,
    peer: SocketAddr,
    _admitted: Admitted,
}

impl Connection {
    /// Waits for something, but neither longer than for a client nor beyond the end of the service.
    async fn unless_over<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = waiting => Some(done),
            _ = self.activity.overdue() => None,
            () = self.ending.cancelled() => None,
        }
    }

    /// Answers requests.
    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (activity, router, peer) = (self.activity.clone(), self.router.clone(), self.peer);
        let service = service_fn(move |request: Request<Incoming>| {
            let under_way = activity::Request::begin(&activity);
            let mut request = request.map(|body| request_body(body, under_way.clone()));
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().call(request);
            async move {
                let answer: Result<Response<Body>, Infallible> = answer.await;
                answer.map(|answer| answer.map(|body| AnswerBody::new(body, under_way)))
            }
        });
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(OwnErrors::new(stream)), service));
        let mut is_ending = false;
        loop {
            // An error of a connection is its client's.
            tokio::select! {
                _ = connection.as_mut() => return,
                overdue = self.activity.overdue() => {
                    if overdue == Overdue::Idle {
                        // So that a client which is just sending a request learns that it was not answered.
                        connection.as_mut().graceful_shutdown();
                        let _ = timeout(self.unread_wait, connection).await;
                    }
                    return;
                }
                () = self.ending.cancelled(), if !is_ending => {
                    connection.as_mut().graceful_shutdown();
                    is_ending = true;
                }
            }
        }
    }
}

/// How HTTP is spoken. How long a head may take is for [`Activity`] to say, which also sees HTTP/2.
fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(MAX_REQUEST_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .max_header_list_size(MAX_REQUEST_HEAD_BYTES)
        .max_send_buf_size(MAX_STREAM_BUFFER_BYTES);
    builder
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::ready};

    use super::*;

    #[tokio::test]
    async fn without_file_descriptors_the_server_tries_again_after_a_pause() {
        let accepting = Accepting {
            admission: Admission::new(MaxConnections::of(1024, &[])),
            router: Router::new(),
            certificate: None,
            waits: Waits::default(),
            unheard: watch::Sender::new(()),
            ending: CancellationToken::new(),
            intake: Arc::default(),
        };
        let peer = SocketAddr::from(([203, 0, 113, 5], 50_000));
        let steps = RefCell::new(Vec::new());
        let accept = || {
            let mut steps = steps.borrow_mut();
            steps.push("accept");
            ready(match steps.len() {
                1 | 3 => Err(io::Error::other("Too many open files")),
                5 => Err(io::ErrorKind::ConnectionAborted.into()),
                _ => Ok(((), peer)),
            })
        };
        let pause = || {
            assert!(accepting.intake.is_failing());
            steps.borrow_mut().push("pause");
            ready(())
        };
        let ((), from, place) = accepting.next(accept, pause).await;
        assert_eq!((from, place.is_some()), (peer, true));
        assert_eq!(*steps.borrow(), ["accept", "pause", "accept", "pause", "accept", "accept"]);
        assert!(!accepting.intake.is_failing());
    }
}
