//! Inactive connections and too many of them: raw bytes against the server, with short limits.

use std::{net::SocketAddr, time::Duration};

use reelshelf::{
    http::{self, Settings},
    limits::{MAX_REQUEST_HEAD_BYTES, MAX_STREAMS_PER_CONNECTION},
    serve::{Certificate, MaxConnections, Server, Tls, Waits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::support::{
    Kind, Service,
    certificate::Pair,
    http2::{self, ACCEPT_ENCODING, GOAWAY, INITIAL_WINDOW_SIZE, SETTINGS},
};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
const SOON: Duration = Duration::from_millis(50);
/// Limits that are never reached; a test shortens one.
const ENDLESS: Waits = Waits { head: NEVER, idle: NEVER, unread: NEVER };
const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";

struct Running {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
    service: Service,
}

impl Running {
    async fn start(waits: Waits, max: Option<MaxConnections>, certificate: Option<Certificate>) -> Self {
        let service = Service::start(Kind::Sqlite).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let router = http::router(service.app.clone(), Settings::default());
        let max = max.unwrap_or_else(|| MaxConnections::of(10_000, &[]));
        let (end, ending) = oneshot::channel();
        let intake = service.app.intake.clone();
        let server = Server { listener, router, certificate, waits, max, is_shared: false, intake };
        let ended = tokio::spawn(server.run(async { ending.await.expect("it is told to end") }));
        Self { address, end, ended, service }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// Sends bytes, and returns everything received until the server closes the connection.
    async fn answer_to(&self, sent: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        stream.write_all(sent).await.expect("it is sent");
        rest(stream).await
    }
}

/// Returns everything received until the server closes the connection.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await; // an error: it was closed before all was read
    bytes
}

/// Sends a request on a connection that stays open, and reads the response.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(LIVE).await.expect("it is sent");
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(bytes).expect("text").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).await.expect("a body");
}

#[tokio::test]
async fn a_connection_without_a_whole_head_is_closed() {
    let server = Running::start(Waits { head: SOON, ..ENDLESS }, None, None).await;
    let begun = [http2::hello(&[]), http2::begin_get(1, "/health/live")].concat();
    let silent: [&[u8]; 6] = [b"", b"P", b"GET /health/live HTT", http2::PREFACE, &http2::hello(&[]), &begun];
    for sent in silent {
        let came = server.answer_to(sent).await;
        assert!(!came.starts_with(b"HTTP"), "{:?}: {:?}", String::from_utf8_lossy(sent), came);
    }
    let mut kept = server.connect().await;
    ask(&mut kept).await;
    kept.write_all(b"GET /").await.unwrap();
    assert_eq!(rest(kept).await, b"", "the head after the first has its time, too");
}

#[tokio::test]
async fn over_http2_a_rejected_body_is_read_to_its_end() {
    let server = Running::start(Waits { idle: SOON, unread: SOON, ..ENDLESS }, None, None).await;
    let mut stream = server.connect().await;
    let piece = vec![b'x'; 16_384];
    let begun = [http2::hello(&[]), http2::begin_post(1, "/movie"), http2::frame(http2::DATA, 0, 1, &piece)];
    stream.write_all(&begun.concat()).await.unwrap();
    let mut came = Vec::new();
    while !http2::frames(&came).iter().any(|(kind, stream, _)| (*kind, *stream) == (http2::HEADERS, 1)) {
        assert_ne!(
            stream.read_buf(&mut came).await.unwrap(),
            0,
            "the answer comes before the body has ended"
        );
    }
    stream
        .write_all(&[http2::frame(http2::DATA, 0, 1, &piece), http2::end_body(1, &piece)].concat())
        .await
        .unwrap();
    came.extend(rest(stream).await);
    let frames = http2::frames(&came);
    assert!(!frames.iter().any(|(kind, ..)| *kind == http2::RST_STREAM), "{frames:?}");
    assert!(frames.iter().any(|(kind, ..)| *kind == GOAWAY), "{frames:?}");
}

#[tokio::test]
async fn half_a_handshake_of_tls_is_closed() {
    let pair = Pair::new();
    let tls = Tls { certificates: pair.path("cert.pem"), key: pair.path("key.pem") };
    let certificate = Certificate::load(tls).expect("a certificate");
    let server = Running::start(Waits { head: SOON, ..ENDLESS }, None, Some(certificate)).await;
    // The header of a TLS record with a handshake of 512 bytes, and the beginning of that.
    for sent in [&b""[..], b"\x16\x03\x01\x02\x00", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        assert_eq!(server.answer_to(sent).await, b"");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Running::start(Waits { idle: SOON, unread: SOON, ..ENDLESS }, None, None).await;
    let answer = server.answer_to(LIVE).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{answer:?}");

    let mut stream = server.connect().await;
    let request = [http2::hello(&[]), http2::get(1, "/health/live", &[])].concat();
    stream.write_all(&request).await.unwrap();
    let frames = http2::frames(&rest(stream).await);
    assert!(frames.iter().any(|(_, stream, _)| *stream == 1), "an answer: {frames:?}");
    assert!(frames.iter().any(|(kind, ..)| *kind == GOAWAY), "the client is told: {frames:?}");
}

#[tokio::test]
async fn answers_that_are_never_let_through_over_http2_end_their_connection() {
    let server = Running::start(Waits { unread: SOON, ..ENDLESS }, None, None).await;
    for (window, path) in
        [(0, "/docs/swagger-ui-bundle.js"), (1, "/docs/swagger-ui-bundle.js"), (0, "/openapi.json")]
    {
        let mut sent = http2::hello(&[(INITIAL_WINDOW_SIZE, window)]);
        for number in 0..MAX_STREAMS_PER_CONNECTION {
            sent.extend(http2::get(2 * number + 1, path, &[(ACCEPT_ENCODING, "zstd")]));
        }
        let came = server.answer_to(&sent).await;
        let frames = http2::frames(&came);
        assert!(frames.iter().any(|(kind, ..)| *kind == http2::HEADERS), "{frames:?}");
        assert!(came.len() < 64 * 1024, "heads alone: {} bytes", came.len());
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_its_connection() {
    let server = Running::start(Waits { unread: SOON, ..ENDLESS }, None, None).await;
    let mut stream = server.connect().await;
    let request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n";
    while stream.write_all(request).await.is_ok() {} // until it was closed
}

#[tokio::test]
async fn a_quiet_stream_of_events_goes_on() {
    let server = Running::start(Waits { head: SOON, unread: SOON, idle: SOON }, None, None).await;
    let mut events = server.connect().await;
    let token = &server.service.viewer;
    let request = format!("GET /events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    events.write_all(request.as_bytes()).await.unwrap();
    let mut came = vec![0; 9];
    events.read_exact(&mut came).await.unwrap();
    // Connections that are opened later, one by one, are closed.
    for _ in 0..2 {
        assert_eq!(server.answer_to(b"").await, b"");
        server.answer_to(LIVE).await;
    }
    server.service.add("Heat", "DVD", 170, 1995, 5).await;
    while !came.windows(4).any(|part| part == b"Heat") {
        came.push(events.read_u8().await.expect("the stream goes on"));
    }
}

#[tokio::test]
async fn streams_and_heads_of_http2_are_bounded() {
    let server = Running::start(Waits { idle: SOON, unread: SOON, ..ENDLESS }, None, None).await;
    let request = [http2::hello(&[]), http2::get(1, "/health/live", &[])].concat();
    let frames = http2::frames(&server.answer_to(&request).await);
    let (_, _, settings) = frames.iter().find(|(kind, ..)| *kind == SETTINGS).expect("settings");
    let setting = |id| http2::setting(settings, id);
    assert_eq!(setting(http2::MAX_CONCURRENT_STREAMS), Some(MAX_STREAMS_PER_CONNECTION));
    assert_eq!(setting(http2::MAX_HEADER_LIST_SIZE), Some(MAX_REQUEST_HEAD_BYTES));
}

#[tokio::test]
async fn an_address_has_a_number_of_connections() {
    let max = MaxConnections { per_address: 2, exempt: Vec::new(), ..MaxConnections::of(10_000, &[]) };
    let server = Running::start(ENDLESS, Some(max), None).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    ask(&mut first).await;
    ask(&mut second).await;
    assert_eq!(rest(server.connect().await).await, b"", "the third is closed");
    ask(&mut first).await;
    first.shutdown().await.unwrap();
    assert_eq!(rest(first).await, b"");
    // The server closes its end before it decrements the counter, so poll.
    loop {
        let mut next = server.connect().await;
        let _ = next.write_all(LIVE).await; // an error: it was closed
        let mut begin = [0];
        if next.read(&mut begin).await.is_ok_and(|count| count == 1) {
            break;
        }
    }
}

#[tokio::test]
async fn a_connection_beyond_the_most_is_served_when_another_has_ended() {
    let max = MaxConnections { in_all: 1, ..MaxConnections::of(10_000, &[]) };
    let server = Running::start(ENDLESS, Some(max), None).await;
    let mut first = server.connect().await;
    ask(&mut first).await;
    let mut second = server.connect().await;
    second.write_all(LIVE).await.unwrap();
    ask(&mut first).await;
    drop(first);
    let mut begin = [0; 13];
    second.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 ");
}

#[tokio::test]
async fn what_is_in_the_queue_at_the_end_is_answered() {
    let max = MaxConnections { in_all: 1, ..MaxConnections::of(10_000, &[]) };
    let server = Running::start(ENDLESS, Some(max), None).await;
    let mut first = server.connect().await;
    ask(&mut first).await;
    let mut queued = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await; // into the queue, where nobody takes it
        stream.write_all(LIVE).await.unwrap();
        queued.push(stream);
    }
    server.end.send(()).expect("it runs");
    for stream in queued {
        let answer = rest(stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&answer));
    }
    server.ended.await.unwrap().unwrap();
    assert_eq!(rest(first).await, b"", "nothing was under way there");
    assert!(TcpStream::connect(server.address).await.is_err());
}
