//! Authentication in tests.

use reelshelf::http::Settings;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, PASSWORD, Service};

impl Service {
    /// Tries to sign in.
    pub async fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({"name": name, "password": password});
        Answer::of(self.anonymous(Method::POST, "/login").json(&body)).await
    }

    /// Signs a user with [`PASSWORD`] in. Returns the cookie.
    pub async fn session_of(&self, name: &str) -> String {
        let answer = self.log_in(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie().to_owned()
    }

    /// A request with a session cookie.
    pub fn request_in(&self, session: &str, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("cookie", session)
    }

    /// Requests `/me` with a session cookie.
    pub async fn me_in(&self, session: &str) -> Answer {
        Answer::of(self.request_in(session, Method::GET, "/me")).await
    }

    /// Requests `/me` with a token.
    pub async fn me_as(&self, token: &str) -> Answer {
        Answer::of(self.request_as(token, Method::GET, "/me")).await
    }

    /// Requests `/me` with user name and password.
    pub async fn me_with(&self, name: &str, password: &str) -> Answer {
        Answer::of(self.anonymous(Method::GET, "/me").basic_auth(name, Some(password))).await
    }

    /// Creates a token with another one. Returns the response body.
    pub async fn token_as(&self, token: &str, new: &Value) -> Value {
        let answer = Answer::of(self.request_as(token, Method::POST, "/token").json(new)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

impl Answer {
    /// Returns the cookie that the response sets, without its attributes.
    pub fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap_or_default()
    }
}

/// Returns the secret of a new token.
pub fn secret(made: &Value) -> &str {
    made["token"].as_str().expect("the token itself")
}

/// Settings that trust this machine's `X-Forwarded-*` headers.
pub fn behind_a_proxy() -> Settings {
    Settings { trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")], ..Settings::default() }
}
