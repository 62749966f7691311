//! The URL of a server, and explanations of connection errors.

use std::{fmt, io, iter, net::IpAddr};

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server(Url);

impl Server {
    /// Parses a URL. The default scheme is https, or http for this machine.
    ///
    /// # Errors
    /// If it has another scheme, a path, a query or credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Self::read(text);
        }
        let here = Self::read(&format!("http://{text}"))?;
        if here.is_private() { Ok(here) } else { Self::read(&format!("https://{text}")) }
    }

    fn read(text: &str) -> Result<Self, String> {
        let url: Option<Url> = text.parse().ok();
        let is_server = |url: &Url| {
            let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
            let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            is_web && is_bare && url.username().is_empty() && url.password().is_none()
        };
        url.filter(is_server).map(Self).ok_or_else(|| {
            "must be http:// or https:// and a host, with no path, such as https://films.example".to_owned()
        })
    }

    /// Returns whether requests are encrypted or stay on this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        self.0.scheme() == "https" || is_here
    }

    /// Returns the URL of a path, which may have a query, with further query parameters.
    #[must_use]
    pub fn address(&self, path: &str, query: &[(&str, String)]) -> Url {
        let (path, given) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut address = self.0.clone();
        address.set_path(path);
        address.set_query(given);
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        address
    }

    /// Returns the message for an answer of another program.
    #[must_use]
    pub fn other_program(&self) -> String {
        format!("what answers at {self} is no Reelshelf that this program knows")
    }

    /// Explains why a request failed.
    #[must_use]
    pub fn failed(&self, error: &reqwest::Error) -> anyhow::Error {
        let causes = || anyhow::Chain::new(error);
        let io = causes().find_map(|cause| cause.downcast_ref::<io::Error>());
        // TLS wraps I/O errors, so take the innermost one.
        let io = iter::successors(io, |error| error.get_ref()?.downcast_ref::<io::Error>()).last();
        let tls = io.and_then(io::Error::get_ref).and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let last = causes().last().map(ToString::to_string).unwrap_or_default();
        match (tls, io.map(io::Error::kind)) {
            (Some(rustls::Error::InvalidCertificate(error)), _) => {
                anyhow::anyhow!("the certificate of {self} is not trusted: {error}")
            }
            (Some(error), _) => anyhow::anyhow!("{self} does not speak TLS as it should: {error}"),
            (_, Some(io::ErrorKind::ConnectionRefused)) => {
                anyhow::anyhow!(
                    "nothing listens at {self} (connection refused); is the service running there?"
                )
            }
            _ if error.is_timeout() => anyhow::anyhow!("{self} did not answer in time"),
            _ if error.is_connect() => anyhow::anyhow!("{self} cannot be reached: {last}"),
            _ => anyhow::anyhow!("the connection to {self} broke: {last}"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl TryFrom<String> for Server {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Server> for String {
    fn from(server: Server) -> Self {
        server.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_scheme_is_https_unless_it_is_here() {
        for (text, server) in [
            ("https://films.example", "https://films.example"),
            ("HTTP://Films.Example:80/", "http://films.example"),
            ("films.example", "https://films.example"),
            ("films.example:8443", "https://films.example:8443"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Server::parse(text).unwrap().to_string(), server, "{text}");
        }
        for bad in [
            "",
            "ftp://films.example",
            "https://films.example/films",
            "https://o:p@films.example",
            "http://",
            "a b",
        ] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_goes_unencrypted_over_a_network_is_not_private() {
        for (text, private) in [
            ("http://localhost", true),
            ("http://127.0.0.2", true),
            ("http://[::1]", true),
            ("https://films.example", true),
            ("http://films.example", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(Server::parse(text).unwrap().is_private(), private, "{text}");
        }
    }
}
