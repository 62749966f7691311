//! Debian's `PgBouncer` between service and PostgreSQL, in each of its modes.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use reqwest::Method;

use crate::support::{
    Answer, Kind, TestDatabase, movie,
    program::{Program, poll, run},
};

/// The program, stopped when dropped.
struct PgBouncer {
    child: Child,
    /// The database behind it.
    pooled: TestDatabase,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// Starts it with lines of configuration, in front of a database server.
    fn start(database: &TestDatabase, mode: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a folder of ours");
        let (server, name) = database.address.rsplit_once('/').expect("an address with a database");
        let server: tokio_postgres::Config = server.parse().expect("an address");
        let [tokio_postgres::config::Host::Tcp(host)] = server.get_hosts() else {
            panic!("one host: {server:?}")
        };
        let port = server.get_ports().first().copied().unwrap_or(5432);
        let user = server.get_user().expect("a user");
        let password = server.get_password().map(String::from_utf8_lossy).unwrap_or_default();
        // It does not run as root.
        let as_user = if rustix::process::geteuid().is_root() { "user = nobody" } else { "" };
        loop {
            let own =
                TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("it listens");
            let configuration = folder.path().join("pgbouncer.ini");
            let text = format!(
                "[databases]\n* = host={host} port={port} user={user} password={password}\n[pgbouncer]\n\
                 listen_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\nauth_type = any\n{as_user}\n{mode}\n",
                own.port()
            );
            std::fs::write(&configuration, text).expect("a file");
            let mut command = Command::new("pgbouncer");
            command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
            command
                .arg("--quiet")
                .arg(&configuration)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let mut child = command.spawn().expect("pgbouncer is installed");
            let ended = poll("it listens or ends", || {
                let ended = child.try_wait().expect("a process of ours").is_some();
                (ended || TcpStream::connect(own).is_ok()).then_some(ended)
            });
            if !ended {
                let address = format!("postgres://{user}@{own}/{name}");
                let pooled = TestDatabase::at(Kind::Postgres, address);
                return Self { child, pooled, _folder: folder };
            } // somebody else was faster with the port
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // an error: it has ended
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_pools_sessions_all_works() {
    let database = TestDatabase::new(Kind::Postgres).await;
    let pooler = PgBouncer::start(&database, "pool_mode = session\ndefault_pool_size = 21");
    let add = ["user", "add", "olivia", "--role", "owner", "--password-stdin"];
    run(&pooler.pooled, &add, "a shelf full of tapes").expect(0);
    let token = run(&pooler.pooled, &["token", "create", "olivia", "test"], "").expect(0).out;
    let program = Program::start(&pooler.pooled);
    let request = |method, path: &str| program.request(method, path).bearer_auth(token.trim_end());
    let mut adds = Vec::new();
    for n in 1..=20 {
        adds.push(Answer::of(request(Method::POST, "/movie").json(&movie(
            &format!("Film {n}"),
            "DVD",
            90,
            1990,
            3,
        ))));
    }
    for added in futures_util::future::join_all(adds).await {
        assert_eq!(added.status, 201, "{added:?}");
    }
    let movies = Answer::of(request(Method::GET, "/movie")).await;
    assert_eq!((movies.status, movies.json().as_array().map(Vec::len)), (200, Some(20)), "{movies:?}");
    program.end().expect(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_pools_anything_less_it_is_refused() {
    let database = TestDatabase::new(Kind::Postgres).await;
    for mode in [
        "pool_mode = transaction",
        "pool_mode = transaction\nserver_round_robin = 1\nmin_pool_size = 2",
        "pool_mode = statement",
    ] {
        let pooler = PgBouncer::start(&database, mode);
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
            run(&pooler.pooled, arguments, "").refused("PgBouncer: pool_mode = session");
        }
    }
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.texts(tables).await, [""; 0], "nothing was made");
}
