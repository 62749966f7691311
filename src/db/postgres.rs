//! PostgreSQL: a pool of connections, with TLS as libpq's `sslmode` and `sslrootcert` ask for it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::{FutureExt, StreamExt, stream};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DbError;

const CONNECTIONS: usize = 16;
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// Where instances tell each other of new changes.
const CHANNEL: &str = "reelshelf_changes";

pub(super) struct Postgres {
    pool: Pool,
    config: Config,
    tls: MakeRustlsConnect,
}

impl Postgres {
    /// Reads the address and makes the pool; connects only when a connection is wanted.
    pub(super) fn open(address: &str) -> Result<Self, DbError> {
        let (address, trust) = split_trust(address)?;
        // The driver's own message may repeat the address, and so a password.
        let mut config: Config = address.parse().map_err(|_| {
            DbError::Refused("the address of the PostgreSQL database is malformed".to_owned())
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(WAIT_FOR_CONNECTION);
        }
        if config.get_application_name().is_none() {
            config.application_name("reelshelf");
        }
        let tls = MakeRustlsConnect::new(tls(&trust)?);
        let manager = Manager::from_config(
            config.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        // Compiling a query takes longer than any of ours runs: for a forgiving search 300 ms instead of 20.
        let quick = Hook::async_fn(|client, _| {
            let off = async { client.batch_execute("SET jit = off").await.map_err(HookError::Backend) };
            Box::pin(off)
        });
        let pool = Pool::builder(manager)
            .post_create(quick)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT_FOR_CONNECTION))
            .create_timeout(Some(WAIT_FOR_CONNECTION))
            .build()
            .map_err(|error| DbError::Failed(Arc::new(error)))?;
        Ok(Self { pool, config, tls })
    }

    pub(super) async fn get(&self) -> Result<Object, DbError> {
        Ok(self.pool.get().await?)
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// A call to wake up, and no more: it may be lost, and nothing is read from it. A statement of its
    /// own, since PostgreSQL lets only one transaction that notifies commit at a time.
    pub(super) async fn announce(&self) -> Result<(), DbError> {
        Ok(self.get().await?.batch_execute(&format!("NOTIFY {CHANNEL}")).await?)
    }

    /// Listens on a connection of its own until it is lost.
    pub(super) async fn listen(&self, announced: impl Fn()) -> Result<(), DbError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        let command = format!("LISTEN {CHANNEL}");
        let mut listening = std::pin::pin!(client.batch_execute(&command).fuse());
        loop {
            tokio::select! {
                listens = &mut listening => {
                    listens?;
                    announced(); // what was announced before, nobody heard
                }
                message = messages.next() => match message.transpose()? {
                    Some(AsyncMessage::Notification(_)) => announced(),
                    Some(_) => {}
                    None => return Err(DbError::Unavailable("the connection was closed".to_owned())),
                },
            }
        }
    }
}

/// How far the server's certificate is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Any certificate (`sslmode=prefer` and `require`, as in libpq without a root certificate).
    Nothing,
    /// One that a trusted authority signed (`verify-ca`).
    Authority,
    /// One that a trusted authority signed for this very host (`verify-full`).
    AuthorityAndHost,
}

struct Trust {
    check: Check,
    root_certificates: Option<PathBuf>,
}

/// Takes out of the address what libpq knows and the driver does not.
fn split_trust(address: &str) -> Result<(String, Trust), DbError> {
    let (base, query) = address.split_once('?').unwrap_or((address, ""));
    let mut trust = Trust { check: Check::Nothing, root_certificates: None };
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*key, &*value) {
            ("sslrootcert", "system") => trust.check = Check::AuthorityAndHost,
            ("sslrootcert", path) => {
                trust.root_certificates = Some(path.into());
                trust.check = match trust.check {
                    Check::Nothing => Check::Authority,
                    check => check,
                };
            }
            ("sslmode", mode @ ("verify-ca" | "verify-full")) => {
                trust.check = if mode == "verify-ca" { Check::Authority } else { Check::AuthorityAndHost };
                kept.append_pair("sslmode", "require");
            }
            ("sslcert" | "sslkey", _) => {
                return Err(DbError::Refused(format!("{key} is not supported: sign in with a password")));
            }
            _ => {
                kept.append_pair(&key, &value);
            }
        }
    }
    // The driver reads %20, not +, as a space.
    let kept = kept.finish().replace('+', "%20");
    Ok((if kept.is_empty() { base.to_owned() } else { format!("{base}?{kept}") }, trust))
}

fn tls(trust: &Trust) -> Result<ClientConfig, DbError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &trust.root_certificates {
        let unusable = |e: &dyn std::fmt::Display| {
            DbError::Refused(format!("sslrootcert {} cannot be used: {e}", path.display()))
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| unusable(&e))?;
        for certificate in certificates {
            roots.add(certificate.map_err(|e| unusable(&e))?).map_err(|e| unusable(&e))?;
        }
    } else if trust.check != Check::Nothing {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let authority = if roots.is_empty() {
        None
    } else {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        Some(verifier.map_err(|e| DbError::Refused(format!("the root certificates cannot be used: {e}")))?)
    };
    if authority.is_none() && trust.check != Check::Nothing {
        return Err(DbError::Refused("no root certificate is there to check the server's with".to_owned()));
    }
    let verifier = Verifier { check: trust.check, authority, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DbError::Failed(Arc::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// Checks the server's certificate as far as the address asks for it.
#[derive(Debug)]
struct Verifier {
    check: Check,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(TlsError::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if self.check == Check::Authority =>
            {
                Ok(ServerCertVerified::assertion())
            }
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_and_sslrootcert_mean_what_they_mean_to_libpq() {
        let check = |address| split_trust(address).unwrap().1.check;
        assert_eq!(check("postgres://h/d"), Check::Nothing);
        assert_eq!(check("postgres://h/d?sslmode=require"), Check::Nothing);
        assert_eq!(check("postgres://h/d?sslmode=require&sslrootcert=/ca.pem"), Check::Authority);
        assert_eq!(check("postgres://h/d?sslrootcert=/ca.pem&sslmode=verify-full"), Check::AuthorityAndHost);
        assert_eq!(check("postgres://h/d?sslrootcert=system"), Check::AuthorityAndHost);
        let (address, trust) =
            split_trust("postgres://u:p%40@a,b:5433/d?sslmode=verify-ca&options=-c%20x&sslrootcert=/ca.pem")
                .unwrap();
        assert_eq!(address, "postgres://u:p%40@a,b:5433/d?sslmode=require&options=-c%20x");
        assert_eq!(trust.check, Check::Authority);
        assert_eq!(trust.root_certificates, Some("/ca.pem".into()));
    }

    #[test]
    fn a_root_certificate_that_is_not_there_is_refused_by_name() {
        let error =
            Postgres::open("postgres://h/d?sslmode=verify-full&sslrootcert=/no/such.pem").err().unwrap();
        assert!(error.to_string().contains("/no/such.pem"), "{error}");
    }

    #[test]
    fn a_malformed_address_does_not_give_away_the_password() {
        let error = Postgres::open("postgres://u:s3cret@h:port/d").err().unwrap();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
