//! Connections as they come: none is taken any more at the end, and each that was taken is heard.

use std::{
    future::{Ready, pending, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::connect_info::Connected;
use axum_server::{AddrListener, Address, accept::Accept};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tower::util::MapRequest;

use crate::limits::{SHUTDOWN_FIRST_REQUEST_WAIT, UNREAD_ANSWER_WAIT};

/// What has come and has asked for nothing yet. axum-server alone would drop it at the end.
#[derive(Default)]
pub struct Arrivals {
    closing: Notify,
    closed: Notify,
    /// Has a receiver for each such connection.
    silent: watch::Sender<()>,
}

impl Arrivals {
    /// The service of a connection that has been taken.
    pub fn hear<S, R>(&self, service: S) -> MapRequest<S, impl FnMut(R) -> R + Clone + use<S, R>> {
        let silent = Arc::new(Mutex::new(Some(self.silent.subscribe())));
        MapRequest::new(service, move |request| {
            silent.lock().unwrap_or_else(PoisonError::into_inner).take();
            request
        })
    }

    /// Takes no more connections, and comes back when all that were taken have asked for something.
    pub async fn end(&self) {
        self.closing.notify_one();
        self.closed.notified().await;
        // Browsers also make connections just in case.
        let _ = timeout(SHUTDOWN_FIRST_REQUEST_WAIT, self.silent.closed()).await;
    }
}

/// Takes connections until [`Arrivals::end`].
pub struct Listener {
    socket: TcpListener,
    arrivals: Arc<Arrivals>,
}

impl Listener {
    /// # Errors
    /// Those of the socket, which must not be one that blocks.
    pub fn new(socket: std::net::TcpListener, arrivals: Arc<Arrivals>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::from_std(socket)?, arrivals })
    }
}

impl AddrListener<TcpStream, Peer> for Listener {
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into()) // it is made of a socket
    }

    async fn accept_stream(&self) -> io::Result<(TcpStream, Peer)> {
        tokio::select! {
            biased;
            () = self.arrivals.closing.notified() => {
                self.arrivals.closed.notify_one();
                pending().await
            }
            accepted = self.socket.accept() => accepted.map(|(stream, address)| (stream, Peer(address))),
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.socket.local_addr().map(Peer)
    }
}

/// The address of the other end, of connections that a [`Listener`] takes.
#[derive(Debug, Clone, Copy)]
pub struct Peer(SocketAddr);

impl Address for Peer {
    type Stream = TcpStream;
    type Listener = Listener;
}

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

/// Makes connections such that send at once, and that break off when the client does not read.
#[derive(Clone)]
pub struct Impatient;

impl<S> Accept<TcpStream, S> for Impatient {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(stream.set_nodelay(true).map(|()| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(UNREAD_ANSWER_WAIT));
            (Box::pin(stream), service)
        }))
    }
}
