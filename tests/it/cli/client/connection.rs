//! Finding a server, and saying why that failed.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use rcgen::CertifiedKey;

use super::{environment, reelshelf};
use crate::{
    on_both,
    support::program::{Program, run_with},
};

on_both! {
    async fn options_say_which_server_is_meant_before_the_environment(service: &Service) {
        let nowhere = [("REELSHELF_SERVER", "http://127.0.0.1:1"), ("REELSHELF_TOKEN", "rsh_other")];
        let list = ["list", "--server", &service.base, "--token", &service.viewer];
        run_with(&list, &nowhere).expect(0);
        run_with(&["list"], &nowhere).refused("nothing listens at http://127.0.0.1:1 (connection refused)");
        let only_token = [("REELSHELF_TOKEN", &*service.viewer), ("XDG_CONFIG_HOME", "/nowhere")];
        run_with(&["list"], &only_token).refused("no server is known; use `reelshelf login URL`");
        let only_server = [("REELSHELF_SERVER", &*service.base), ("XDG_CONFIG_HOME", "/nowhere")];
        run_with(&["list"], &only_server).refused("there is no token for http://127.0.0.1:");
        let help = run_with(&["list", "--help"], &environment(service)).expect(0).out;
        assert!(help.contains("REELSHELF_TOKEN") && !help.contains(&service.editor), "{help}");
    }
}

on_both! {
    async fn what_the_server_refuses_is_told_with_every_place(service: &Service) {
        run_with(&["list", "--server", &service.base, "--token", "rsh_wrong"], &[]).refused("`reelshelf login http://127.0.0.1:");
        run_with(&["list", "--server", &service.base, "--token", "a\nb"], &[]).refused("characters that no token has");
        let add = ["add", "--title", "Heat", "--year", "1995", "--format", "DVD", "--length", "170", "--rating", "5"];
        let as_viewer = [("REELSHELF_SERVER", &*service.base), ("REELSHELF_TOKEN", &*service.viewer)];
        run_with(&add, &as_viewer).refused("reelshelf: ");
        assert_eq!(service.get("/history").await.text, "[]\n");
        for wrong in ["ftp://films.example", "https://films.example/films", ""] {
            reelshelf(service, &["list", "--server", wrong]).expect(2);
        }
    }
}

/// A proxy that answers everything with a page that asks for a sign-in.
fn sign_in_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("it listens"));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            let _ = client.read(&mut [0; 4096]).expect("a request");
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 8\r\nconnection: close\r\n\r\nSign in\n";
            client.write_all(page.as_bytes()).expect("an answer");
        }
    });
    base
}

#[test]
fn a_page_of_a_proxy_is_no_answer() {
    let base = sign_in_page();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("films.csv");
    std::fs::write(&file, "before").expect("a file");
    let environment = [("REELSHELF_SERVER", &*base), ("REELSHELF_TOKEN", "rsh_x")];
    let file_name = file.to_str().expect("a path");
    for command in [
        &["list", "--json"][..],
        &["export", file_name],
        &["token", "revoke", "olivia", "1", "--server", &base],
        &["health", "--listen", base.trim_start_matches("http://")],
    ] {
        let done = run_with(command, &environment);
        done.refused(&format!("what answers at {base} is no Reelshelf"));
    }
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "before");
}

on_both! {
    async fn a_client_writes_no_log_and_a_server_goes_on_to(database: TestDatabase) {
        let server = Program::start_with(&database, &[], &[("RUST_LOG", "debug")]);
        let refused = run_with(&["list", "--server", &server.base, "--token", "x"], &[("RUST_LOG", "trace")]).expect(1);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
        assert!(server.end().expect(0).err.lines().count() > 1);
    }
}

on_both! {
    async fn a_certificate_that_nobody_vouches_for_is_refused_in_plain_words(database: TestDatabase) {
        let folder = tempfile::tempdir().expect("a folder");
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, cert.pem()).expect("a file");
        std::fs::write(&key, signing_key.serialize_pem()).expect("a file");
        let tls = ["--tls-cert", certificate.to_str().expect("a path"), "--tls-key", key.to_str().expect("a path")];
        let server = Program::start_with(&database, &tls, &[]);
        let base = server.base.replace("127.0.0.1", "localhost");
        run_with(&["list", "--server", &base, "--token", "x"], &[]).refused("is not trusted");
        drop(server); // one at a time serves a SQLite file
        let plain = Program::start(&database);
        let base = plain.base.replace("http://127.0.0.1", "https://localhost");
        run_with(&["list", "--server", &base, "--token", "x"], &[]).refused("does not speak TLS");
    }
}
