//! https: loads the certificate and key, again at SIGHUP.

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

/// The TLS configuration from the last load.
#[derive(Clone)]
pub struct Certificate(watch::Receiver<Arc<ServerConfig>>);

impl Certificate {
    /// Loads the files, now and at each SIGHUP, so that a renewal needs no restart.
    ///
    /// # Errors
    /// If a file cannot be read or is not a certificate with its key.
    pub fn load(tls: Tls) -> anyhow::Result<Self> {
        // The crypto provider is global to the process; an error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (config, current) = watch::channel(Arc::new(read(&tls)?));
        reload_on_hangup(tls, config)?;
        Ok(Self(current))
    }

    /// Returns the TLS acceptor.
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
                        tracing::info!("reloaded the certificate");
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
