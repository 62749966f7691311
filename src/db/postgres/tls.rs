//! TLS to PostgreSQL. It verifies the server's certificate as libpq's `sslmode` and `sslrootcert` specify.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::db::DbError;

/// How the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Not at all (`sslmode=prefer` and `require`, as in libpq without a root certificate).
    Nothing,
    /// It must be signed by a trusted authority (`verify-ca`).
    Authority,
    /// It must be signed by a trusted authority for this host (`verify-full`).
    AuthorityAndHost,
}

pub(super) struct Trust {
    pub(super) check: Check,
    pub(super) root_certificates: Option<PathBuf>,
}

/// Builds the TLS configuration for a level of verification.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, DbError> {
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

/// Verifies the server's certificate as far as the address requires.
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
