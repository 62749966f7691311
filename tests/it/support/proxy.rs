//! A proxy that can hold up one import.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is held up of the first import; everything else passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The rest of the request: only its beginning is accepted.
    Rest,
    /// The whole request: it is accepted but not forwarded.
    Whole,
    /// The response: the request is forwarded.
    Answer,
}

/// A proxy of a service.
pub struct Proxy {
    pub base: String,
    state: Arc<State>,
}

struct State {
    held: Held,
    /// Whether an import has arrived.
    has_come: AtomicBool,
    taken: AtomicUsize,
    is_whole: AtomicBool,
}

impl Proxy {
    pub async fn before(service: &str, held: Held) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let base = format!("http://{}", listener.local_addr().expect("it listens"));
        let service = service.strip_prefix("http://").expect("an address").to_owned();
        let (has_come, taken, is_whole) = Default::default();
        let state = Arc::new(State { held, has_come, taken, is_whole });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&service).await.expect("the service listens");
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { base, state }
    }

    /// Returns the number of bytes accepted of the import.
    pub fn taken(&self) -> usize {
        self.state.taken.load(Ordering::SeqCst)
    }

    /// Returns whether the whole import was accepted.
    pub fn is_whole(&self) -> bool {
        self.state.is_whole.load(Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let is_import = Arc::new(AtomicBool::new(false));
    let shared = (is_import.clone(), state.held);
    tokio::spawn(async move {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut piece).await {
            let is_lost = shared.0.load(Ordering::SeqCst) && shared.1 == Held::Answer;
            if !is_lost && to_client.write_all(&piece[..read]).await.is_err() {
                break;
            }
        }
    });
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from_client.read(&mut piece).await {
        let piece = &piece[..read];
        if piece.starts_with(b"POST /movie?") && !state.has_come.swap(true, Ordering::SeqCst) {
            is_import.store(true, Ordering::SeqCst);
        }
        if is_import.load(Ordering::SeqCst) {
            state.taken.fetch_add(read, Ordering::SeqCst);
            if piece.ends_with(b"0\r\n\r\n") {
                state.is_whole.store(true, Ordering::SeqCst);
            }
            match state.held {
                Held::Rest => std::future::pending().await,
                Held::Whole => continue,
                Held::Answer => {}
            }
        }
        if to_server.write_all(piece).await.is_err() {
            break;
        }
    }
}
