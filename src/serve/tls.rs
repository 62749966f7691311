//! https by the program itself: the certificate and its key, read again at SIGHUP.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone)]
pub struct Tls {
    pub certificates: PathBuf,
    pub key: PathBuf,
}

/// What the files say, as they were when they were last read.
#[derive(Clone)]
pub struct Certificate(watch::Receiver<Arc<ServerConfig>>);

impl Certificate {
    /// Reads the files, now and at each SIGHUP from this call on, so that a renewal needs no restart.
    ///
    /// # Errors
    /// A file cannot be read, or is no certificate or its key.
    pub fn load(tls: Tls) -> anyhow::Result<Self> {
        // Both the provider of cryptography and the certificates are wanted by the process as a whole.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (config, current) = watch::channel(Arc::new(read(&tls)?));
        reload_on_hangup(tls, config)?;
        Ok(Self(current))
    }

    /// What makes a connection one of https.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.borrow().clone().into()
    }
}

fn read(tls: &Tls) -> anyhow::Result<ServerConfig> {
    let [certificates, key] = [&tls.certificates, &tls.key]
        .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())));
    let (certificates, key) = (certificates?, key?);
    let config = || -> anyhow::Result<ServerConfig> {
        let certificates = CertificateDer::pem_slice_iter(&certificates).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(&key)?;
        Ok(ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?)
    };
    let mut config = config().with_context(|| {
        format!(
            "{} and {} are no certificate and its key (of RSA, P-256, P-384 or Ed25519)",
            tls.certificates.display(),
            tls.key.display()
        )
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn reload_on_hangup(tls: Tls, config: watch::Sender<Arc<ServerConfig>>) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                match read(&tls) {
                    Ok(read) => {
                        config.send_replace(Arc::new(read));
                        tracing::info!("read the certificate anew");
                    }
                    Err(error) => {
                        tracing::error!(%error, "the certificate could not be read; the old one stays");
                    }
                }
            }
        });
    }
    #[cfg(not(unix))]
    drop((tls, config));
    Ok(())
}
