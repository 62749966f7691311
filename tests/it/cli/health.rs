//! `reelshelf health`.

use std::net::SocketAddr;

use rustix::net;

use crate::{
    api::health::set_reachable,
    on_both,
    support::{
        Kind, Service, TestDatabase,
        certificate::Pair,
        program::{Program, run_with},
    },
};

on_both! {
    async fn a_service_that_is_ready_is_told_by_the_status(database: TestDatabase) {
        let server = Program::start(&database);
        let address = server.address();
        let done = run_with(&["health"], &[("REELSHELF_LISTEN", address)]).expect(0);
        assert_eq!((done.out.as_str(), done.err.as_str()), ("ready\n", ""));
        assert_eq!(run_with(&["health", "--listen", address], &[]).expect(0).out, "ready\n");
    }
}

#[tokio::test]
async fn of_all_addresses_this_machine_is_asked() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let server = Program::start(&database);
    let port = server.base.rsplit_once(':').unwrap().1;
    run_with(&["health", "--listen", &format!("0.0.0.0:{port}")], &[]).expect(0);
    run_with(&["health", "--listen", &format!("localhost:{port}")], &[]).expect(0);
    let other = format!("[::]:{port}");
    run_with(&["health", "--listen", &other], &[]).refused(&format!("http://[::1]:{port}"));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_by_the_status() {
    // Bound, so that nobody else gets the port, and without a listener.
    let bound = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).unwrap();
    net::bind(&bound, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let free = SocketAddr::try_from(net::getsockname(&bound).unwrap()).unwrap().to_string();
    run_with(&["health", "--listen", &free], &[]).refused("nothing listens at");
    run_with(&["health", "--listen", "8080"], &[]).expect(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_its_database_is_not_ready() {
    let service = Service::start(Kind::Postgres).await;
    let address = service.base.strip_prefix("http://").unwrap().to_owned();
    let ask = async || {
        let address = address.clone();
        tokio::task::spawn_blocking(move || run_with(&["health", "--listen", &address], &[])).await.unwrap()
    };
    ask().await.expect(0);
    set_reachable(&service, false).await;
    ask().await.refused("is not ready: the database cannot be reached at the moment (503)");
    set_reachable(&service, true).await;
    ask().await.expect(0);
}

#[tokio::test]
async fn a_service_that_speaks_https_is_asked_over_https() {
    let pair = Pair::new();
    let database = TestDatabase::new(Kind::Sqlite).await;
    let server = pair.start(&database);
    let address = server.base.strip_prefix("https://").unwrap();
    let cert = pair.path("cert.pem");
    run_with(&["health", "--listen", address, "--tls-cert", cert.to_str().unwrap()], &[]).expect(0);
    run_with(&["health", "--listen", address], &[]).refused("http://");
}
