//! The server: accepts connections, serves HTTP and closes connections of inactive clients.

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

/// A server on a socket.
pub struct Server {
    pub listener: TcpListener,
    pub router: Router,
    /// The certificate, for https.
    pub certificate: Option<Certificate>,
    pub waits: Waits,
    pub max: MaxConnections,
    /// Whether another process also has the socket and will accept the rest of its queue.
    pub is_shared: bool,
    /// Set to whether connections can be accepted.
    pub intake: Arc<Intake>,
}

impl Server {
    /// Serves until the service ends. Then it accepts the connections in the queue, completes running requests and
    /// closes all connections.
    ///
    /// # Errors
    /// If the socket cannot be taken back from the runtime at the end.
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
            // Clients in the queue are connected and may have sent a request; closing the socket would reset
            // them.
            let listener = listener.into_std()?;
            while let Ok((stream, peer)) = listener.accept() {
                stream.set_nonblocking(true)?;
                connections.spawn(accepting.connection(TcpStream::from_std(stream)?, peer, None));
            }
        }
        // Browsers also open connections that they do not use.
        let _ = timeout(SHUTDOWN_FIRST_REQUEST_WAIT, accepting.unheard.closed()).await;
        accepting.ending.cancel();
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_WAIT, finished).await.is_err() {
            tracing::warn!(connections = connections.len(), "closed connections with running requests");
        }
        connections.shutdown().await;
        Ok(())
    }
}

/// Accepts connections.
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
    /// Returns the next connection. Pauses and retries if no file descriptor is free.
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
                // "Pending" means that no connection waits, so none is failing.
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

    /// Serves a connection, or closes it if its address has too many.
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
            let _ = stream.set_nodelay(true); // an error: the connection is closed
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

/// The pause after a failure to accept connections.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Returns whether an error concerns one connection, not the socket.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// An accepted connection.
struct Connection {
    activity: Arc<Activity>,
    unread_wait: Duration,
    router: Router,
    ending: CancellationToken,
    peer: SocketAddr,
    _admitted: Admitted,
}

impl Connection {
    /// Waits for something, within the limits of the client and until the service ends.
    async fn unless_over<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = waiting => Some(done),
            _ = self.activity.overdue() => None,
            () = self.ending.cancelled() => None,
        }
    }

    /// Serves HTTP on the connection.
    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (activity, router, peer) = (self.activity.clone(), self.router.clone(), self.peer);
        let service = service_fn(move |request: Request<Incoming>| {
            let under_way = activity::Request::begin(&activity, request.version());
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
            // Errors of a connection are the client's.
            tokio::select! {
                _ = connection.as_mut() => return,
                overdue = self.activity.overdue() => {
                    if overdue == Overdue::Idle {
                        // A graceful shutdown tells a client that is sending a request that it was not
                        // processed.
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

/// The HTTP settings. [`Activity`] limits the time for a head, since it also covers HTTP/2.
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
