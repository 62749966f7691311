//! The connection to a server.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{
    Method, RequestBuilder, Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::de::DeserializeOwned;

use super::{logins::Logins, refusal::Refusal, server::Server};
use crate::{
    cli::output::message,
    documents::Me,
    domain::{TokenId, UserName},
};

/// The time limit for connecting.
const CONNECTING: Duration = Duration::from_secs(10);
/// The time limit for ordinary responses.
pub const ANSWERING: Duration = Duration::from_secs(60);
/// The interval of keepalive probes, which detect a dead server.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The server and the credentials.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The server, such as films.example [default: the server of the last `reelshelf login`]
    #[arg(long, env = "REELSHELF_SERVER", value_name = "URL", value_parser = Server::parse)]
    server: Option<Server>,
    /// An API token [default: the one stored by `reelshelf login`]. The variable keeps it out of the process
    /// list
    #[arg(long, env = "REELSHELF_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Connection {
    /// The environment variable of the server.
    pub const SERVER_VARIABLE: &str = "REELSHELF_SERVER";

    /// Returns the server of the option or variable, as given.
    #[must_use]
    pub fn given_server(&self) -> Option<String> {
        self.server.as_ref().map(ToString::to_string)
    }

    /// Returns whether a login is stored.
    pub fn is_stored() -> anyhow::Result<bool> {
        Ok(Logins::load()?.of(None).is_some())
    }

    /// Creates a client. A stored token is only sent to its own server.
    ///
    /// # Errors
    /// If no server or no token is known.
    pub fn client(&self) -> anyhow::Result<Client> {
        if let (Some(server), Some(token)) = (&self.server, &self.token) {
            return Client::new(server.clone(), Credentials::Token(token.clone()));
        }
        let logins = Logins::load()?;
        let login = logins.of(self.server.as_ref());
        let (server, token) = match (&self.server, &self.token, login) {
            (_, token, Some(login)) => (login.server.clone(), token.as_ref().unwrap_or(&login.token).clone()),
            (Some(server), _, None) => {
                bail!("there is no token for {server}; `reelshelf login {server}` creates one")
            }
            (None, _, None) => {
                bail!("no server is known; use `reelshelf login URL`, or give --server")
            }
        };
        Client::new(server, Credentials::Token(token))
    }
}

/// The user pressed Ctrl-C; the text describes the outcome.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {0}")]
pub struct Interrupted(pub String);

/// The credentials of requests.
pub enum Credentials {
    Token(String),
    Password(UserName, String),
}

/// A server with credentials.
pub struct Client {
    http: reqwest::Client,
    pub server: Server,
    credentials: Credentials,
}

impl Client {
    /// Creates a client without sending anything. Warns if credentials would be sent unencrypted over a
    /// network.
    pub fn new(server: Server, credentials: Credentials) -> anyhow::Result<Self> {
        if let Credentials::Token(token) = &credentials
            && HeaderValue::try_from(token).is_err()
        {
            bail!("the token has characters that no token has");
        }
        if !server.is_private() {
            let what = match credentials {
                Credentials::Token(_) => "token",
                Credentials::Password(..) => "password",
            };
            message!(
                "reelshelf: warning: the {what} goes to {server} unencrypted; https:// would protect it"
            );
        }
        let _ = rustls::crypto::ring::default_provider().install_default(); // an error means that it is installed already
        let http = reqwest::Client::builder()
            .user_agent(concat!("reelshelf/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none()) // the token must not go to another server
            .connect_timeout(CONNECTING)
            .tcp_keepalive(KEEPALIVE)
            .build()
            .context("the system's certificates cannot be read")?;
        Ok(Self { http, server, credentials })
    }

    /// Creates a request without a time limit.
    pub fn request(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let request = self.http.request(method, self.server.address(path, query));
        match &self.credentials {
            Credentials::Token(token) => request.bearer_auth(token),
            Credentials::Password(name, password) => request.basic_auth(name.as_str(), Some(password)),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// If the server cannot be reached or sends a web page; a [`Refusal`] for an error response.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|error| self.server.failed(&error))?;
        if response.status().is_success() {
            // A proxy that asks for a sign-in answers with a page, which is no list and no success.
            let media_type = response.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
            ensure!(
                !media_type.starts_with(b"text/html"),
                "{}: it sent a web page",
                self.server.other_program()
            );
            return Ok(response);
        }
        let mut refusal = Refusal::of(response, &self.server).await?;
        if refusal.0.status == 401 && matches!(self.credentials, Credentials::Token(_)) {
            let detail = &mut refusal.0.detail;
            *detail = format!("{detail}; `reelshelf login {}` signs in again", self.server);
        }
        Err(refusal.into())
    }

    /// Sends a request and parses the JSON response.
    ///
    /// # Errors
    /// As [`Client::send`]; if the response is not from this service.
    pub async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = self.send(request).await?;
        let bytes = response.bytes().await.map_err(|error| self.server.failed(&error))?;
        self.read(&bytes)
    }

    /// Parses a JSON response.
    ///
    /// # Errors
    /// If the response is not from this service.
    pub fn read<T: DeserializeOwned>(&self, json: &[u8]) -> anyhow::Result<T> {
        serde_json::from_slice(json).with_context(|| self.server.other_program())
    }

    /// Sends a GET request with a time limit.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        self.answer(self.request(Method::GET, path, query).timeout(ANSWERING)).await
    }

    /// Returns the signed-in user.
    pub async fn me(&self) -> anyhow::Result<Me> {
        self.get("/me", &[]).await
    }

    /// Revokes a token. A token that was revoked already is no error.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn revoke_token(&self, id: TokenId) -> anyhow::Result<()> {
        let request = self.request(Method::DELETE, &format!("/token/{id}"), &[]).timeout(ANSWERING);
        match self.send(request).await {
            Err(error) if error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.0.status == 401) => {
                Ok(())
            }
            answer => answer.map(drop),
        }
    }
}
