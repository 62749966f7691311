//! Certificates for https tests.

use std::path::PathBuf;

use reqwest::Certificate;

use super::{TestDatabase, client, program::Program};

/// A certificate for this machine and its key, in files.
pub struct Pair {
    folder: tempfile::TempDir,
}

impl Pair {
    /// Creates both.
    pub fn new() -> Self {
        let pair = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        pair.renew();
        pair
    }

    /// Replaces the certificate and key in the files.
    pub fn renew(&self) {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        std::fs::write(self.path("cert.pem"), made.cert.pem()).expect("a file");
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).expect("a file");
    }

    /// Returns the path of `cert.pem` or `key.pem`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the certificate, for clients that trust it.
    pub fn certificate(&self) -> Certificate {
        let pem = std::fs::read(self.path("cert.pem")).expect("a file");
        Certificate::from_pem(&pem).expect("a certificate")
    }

    /// Starts a server with the certificate, and a client that trusts only it.
    pub fn start(&self, database: &TestDatabase) -> Program {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let files =
            [("REELSHELF_TLS_CERT", cert.to_str().unwrap()), ("REELSHELF_TLS_KEY", key.to_str().unwrap())];
        let mut server = Program::start_with(database, &[], &files);
        server.client = client([self.certificate()]);
        server
    }
}
