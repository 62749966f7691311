//! The protocol of systemd, which the test implements.

use std::{
    io::{IoSliceMut, Read, Write},
    mem::MaybeUninit,
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::{
    on_both,
    support::{
        HANGS, Kind, TestDatabase,
        program::{Program, poll},
    },
};

/// The notification socket.
struct Manager {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(HANGS)).expect("a time-out");
        Self { folder, socket }
    }

    fn path(&self) -> String {
        self.folder.path().join("notify").to_str().expect("text").to_owned()
    }

    /// Returns the next message, with its file descriptor if any.
    fn hears(&self) -> (String, Option<OwnedFd>) {
        let mut text = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut text)];
        let received =
            recvmsg(&self.socket, &mut into, &mut ancillary, RecvFlags::CMSG_CLOEXEC).expect("something");
        let file = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let text = str::from_utf8(&text[..received.bytes]).expect("text");
        (text.strip_suffix('\n').unwrap_or(text).to_owned(), file) // the last line may end or not
    }
}

/// Sends a request on a new connection, and reads to its end.
fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: films.example\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

on_both! {
    async fn systemd_is_told_of_the_beginning_and_of_the_end(database: TestDatabase) {
        let manager = Manager::new();
        let server = Program::start_with(&database, &[], &[("NOTIFY_SOCKET", &manager.path())]);
        let (said, kept) = manager.hears();
        assert_eq!(said, "FDSTORE=1\nFDNAME=reelshelf-listening");
        let kept = TcpListener::from(kept.expect("a socket"));
        assert_eq!(format!("http://{}", kept.local_addr().unwrap()), server.base);
        assert_eq!(manager.hears().0, "READY=1");
        let server = thread::spawn(move || server.end().expect(0));
        assert_eq!(manager.hears().0, "STOPPING=1");
        server.join().unwrap();
    }
}

#[tokio::test]
async fn a_socket_that_systemd_made_takes_the_place_of_the_address() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let manager = Manager::new();
    let (socket, address) = listener();
    let waiting = thread::spawn({
        let address = address.clone();
        move || ask(&address)
    });
    let server = Program::start_given(
        &database,
        &socket,
        "reelshelf.socket",
        "127.0.0.1:1",
        &[("NOTIFY_SOCKET", &manager.path())],
    );
    assert_eq!(server.base, format!("http://{address}"));
    assert_eq!(manager.hears().0, "READY=1", "systemd has that socket already");
    assert!(waiting.join().unwrap().unwrap().starts_with("HTTP/1.1 200 OK"), "it came before the service");
    server.end().expect(0);
}

#[tokio::test]
async fn what_is_no_socket_keeps_it_from_starting() {
    let done = std::process::Command::new("/bin/sh")
        .args(["-c", r#"LISTEN_PID=$$ exec "$0" serve 3</dev/null"#, env!("CARGO_BIN_EXE_reelshelf")])
        .env("LISTEN_FDS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot listen on the socket in LISTEN_FDS"), "{said}");
}

#[tokio::test]
async fn a_socket_that_systemd_kept_is_given_up_for_another_address() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let manager = Manager::new();
    let (socket, address) = listener();
    let environment = [("NOTIFY_SOCKET", &*manager.path())];

    let server = Program::start_given(&database, &socket, "reelshelf-listening", &address, &environment);
    assert_eq!(server.base, format!("http://{address}"));
    assert_eq!(manager.hears().0, "READY=1");
    drop(server);

    let hearing = thread::spawn(move || {
        assert_eq!(manager.hears().0, "FDSTOREREMOVE=1\nFDNAME=reelshelf-listening");
        let (said, barrier) = manager.hears();
        assert_eq!(said, "BARRIER=1");
        drop(barrier); // the program waits for this
        let (said, kept) = manager.hears();
        assert_eq!(said, "FDSTORE=1\nFDNAME=reelshelf-listening");
        TcpListener::from(kept.expect("a socket")).local_addr().unwrap()
    });
    let server = Program::start_given(&database, &socket, "reelshelf-listening", "127.0.0.1:0", &environment);
    assert_ne!(server.base, format!("http://{address}"));
    assert_eq!(format!("http://{}", hearing.join().unwrap()), server.base);
}

#[tokio::test]
async fn a_restart_drops_no_connection() {
    const CLIENTS: usize = 8;
    let database = TestDatabase::new(Kind::Sqlite).await;
    let (socket, address) = listener();
    let start = || Program::start_given(&database, &socket, "reelshelf.socket", &address, &[]);
    let mut server = start();
    let (ending, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, ending, answered) = (address.clone(), ending.clone(), answered.clone());
            thread::spawn(move || {
                while !ending.load(Ordering::Relaxed) {
                    let answer = ask(&address).expect("an answer");
                    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let before = answered.load(Ordering::Relaxed);
        poll("answers", || (answered.load(Ordering::Relaxed) > before + 50).then_some(()));
        server.end().expect(0);
        server = start();
    }
    ending.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("nothing was dropped");
    }
    server.end().expect(0);
}
