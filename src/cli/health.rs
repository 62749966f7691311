//! `reelshelf health`

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::{Context, bail};

use super::{
    client::{refusal::Refusal, server::Server},
    output::Out,
    serve,
};
use crate::documents::{Problem, Ready};

/// The time limit for the response.
const ANSWERING: Duration = Duration::from_secs(5);

/// The address of the service, given like the options of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// The address that the service listens on; for all addresses (0.0.0.0, [::]) this machine is used
    #[arg(long, env = "REELSHELF_LISTEN", default_value = serve::LISTEN, value_name = "ADDRESS:PORT", value_parser = serve::address)]
    listen: String,

    /// Use https; the certificate is not verified, since it is for another name
    #[arg(long, env = "REELSHELF_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
}

pub async fn run(Args { listen, tls_cert }: Args) -> anyhow::Result<()> {
    let scheme = if tls_cert.is_some() { "https" } else { "http" };
    let here = listen.parse().map_or(listen, |address| crate::serve::here(address).to_string());
    let server = Server::parse(&format!("{scheme}://{here}")).map_err(anyhow::Error::msg)?;
    let _ = rustls::crypto::ring::default_provider().install_default(); // an error means that it is installed already
    let http = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true) // the request has no secrets
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWERING)
        .build()
        .context("the HTTP client cannot be created")?;
    let answer = http.get(server.address("/health/ready", &[])).send().await;
    let answer = answer.map_err(|error| server.failed(&error))?;
    if !answer.status().is_success() {
        let Refusal(Problem { status, detail, .. }) = Refusal::of(answer, &server).await?;
        bail!("the service at {server} is not ready: {detail} ({status})");
    }
    let _: Ready = answer.json().await.with_context(|| server.other_program())?;
    let mut out = Out::new();
    let _ = writeln!(out, "ready").and_then(|()| out.flush()); // the exit status reports it, too
    Ok(())
}
