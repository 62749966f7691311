//! https, by the program itself.

use std::path::PathBuf;

use reqwest::{Certificate, Method, Version};
use serde_json::json;

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Answer, Kind, PASSWORD, TestDatabase,
        certificate::Pair,
        client,
        program::{Signal, run},
    },
};

on_both! {
    async fn https_speaks_both_versions_of_http(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let pair = Pair::new();
        let server = pair.start(&database);
        assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
        let http1 =
            reqwest::Client::builder().http1_only().tls_certs_only([pair.certificate()]).build().unwrap();
        for (client, version) in [(&server.client, Version::HTTP_2), (&http1, Version::HTTP_11)] {
            let request = client.get(format!("{}/movie", server.base)).bearer_auth(&token);
            let answer = request.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
            assert_eq!(answer.text().await.unwrap(), "[]\n");
        }
        let strangers = client([Pair::new().certificate()]);
        assert!(strangers.get(&server.base).send().await.is_err(), "another certificate is not trusted");
        let plain = strangers.get(server.base.replace("https", "http")).send().await;
        assert!(plain.is_err(), "{plain:?}");
        server.end().expect(0);
    }
}

on_both! {
    async fn the_cookie_is_secure_and_the_set_up_is_https(database: TestDatabase) {
        let pair = Pair::new();
        let server = pair.start(&database);
        let line = server.await_log("create the first owner");
        assert!(line.contains(&server.base) && server.base.starts_with("https://"), "{line}");
        let setup = json!({"code": server.setup_code(), "name": "olivia", "password": PASSWORD});
        let login = json!({"name": "olivia", "password": PASSWORD});
        let mut cookies = Vec::new();
        for (path, body, status) in [("/setup", setup, 201), ("/login", login, 200)] {
            let answer = Answer::of(server.request(Method::POST, path).json(&body)).await;
            assert_eq!(answer.status, status, "{answer:?}");
            cookies.push(answer.header("set-cookie").to_owned());
        }
        let session = cookies[0].split(';').next().unwrap();
        let out = Answer::of(server.request(Method::POST, "/logout").header("cookie", session)).await;
        cookies.push(out.header("set-cookie").to_owned());
        for cookie in cookies {
            assert!(cookie.starts_with("__Host-reelshelf_session=") && cookie.ends_with("; Secure"), "{cookie}");
        }
    }
}

on_both! {
    async fn a_renewed_certificate_is_read_at_sighup(database: TestDatabase) {
        let pair = Pair::new();
        let server = pair.start(&database);
        let reaches = async |trusted: Certificate| {
            client([trusted]).get(format!("{}/health/live", server.base)).send().await.is_ok()
        };
        let old = pair.certificate();
        pair.renew();
        server.signal(Signal::HUP);
        server.await_log("reloaded the certificate");
        let renewed = pair.certificate();
        assert!(reaches(renewed.clone()).await);
        assert!(!reaches(old).await);
        std::fs::write(pair.path("cert.pem"), "no certificate").unwrap();
        server.signal(Signal::HUP);
        server.await_log("the old one stays");
        assert!(reaches(renewed).await);
    }
}

#[tokio::test]
async fn files_that_are_no_certificate_and_key_keep_it_from_starting() {
    let (pair, other) = (Pair::new(), Pair::new());
    let text = |path: PathBuf| path.to_str().expect("text").to_owned();
    let (cert, key) = (text(pair.path("cert.pem")), text(pair.path("key.pem")));
    let (nothing, foreign) = (text(pair.path("nothing.pem")), text(other.path("key.pem")));
    let database = TestDatabase::new(Kind::Sqlite).await;
    for (cert, key, words) in [
        (&nothing, &key, format!("cannot read {nothing}")),
        (&cert, &nothing, format!("cannot read {nothing}")),
        (&cert, &foreign, "are no certificate and its key".to_owned()),
        (&key, &cert, "are no certificate and its key".to_owned()),
    ] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
        run(&database, &arguments, "").refused(&words);
    }
    for alone in [["serve", "--tls-cert", &cert], ["serve", "--tls-key", &key]] {
        run(&database, &alone, "").expect(2);
    }
}
