//! `reelshelf serve`

use std::{num::NonZero, path::PathBuf, time::Duration};

use anyhow::bail;
use axum::http::{HeaderValue, Uri};
use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo};

use super::{database::Database, password};
use crate::{
    domain::UserName,
    http::Settings,
    serve::{self, Options, Tls},
    service::backup::Schedule,
};

/// Where it listens when it is not told where: this machine alone.
pub const LISTEN: &str = "127.0.0.1:8080";

/// What `serve` can be told.
#[derive(clap::Args)]
pub struct Args {
    /// The address to listen on; port 0 picks a free one. Once ready, one line on standard output names it
    #[arg(long, env = "REELSHELF_LISTEN", default_value = LISTEN, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: String,

    #[command(flatten)]
    database: Database,

    /// A certificate chain (PEM), to speak https; read anew at SIGHUP
    #[arg(long, env = "REELSHELF_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, env = "REELSHELF_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The address under which users know the service; with https:// cookies are Secure
    #[arg(long, env = "REELSHELF_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<Uri>,

    /// A network of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated
    #[arg(long, env = "REELSHELF_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    trusted_proxy: Vec<IpNet>,

    /// Another site whose pages may use the API, with a token; may be repeated
    #[arg(long, env = "REELSHELF_CORS_ORIGIN", value_name = "URL", value_delimiter = ',', value_parser = origin)]
    cors_origin: Vec<HeaderValue>,

    /// An address of its own for /metrics (Prometheus); without it there are none
    #[arg(long, env = "REELSHELF_METRICS_LISTEN", value_name = "ADDRESS:PORT", value_parser = address)]
    metrics_listen: Option<String>,

    /// The name of the first owner, who is made where there is no user yet
    #[arg(long, env = "REELSHELF_OWNER", value_name = "NAME", value_parser = UserName::parse_new)]
    owner: Option<UserName>,

    /// A file with the first owner's password; REELSHELF_OWNER_PASSWORD can hold the password itself
    #[arg(long, env = "REELSHELF_OWNER_PASSWORD_FILE", value_name = "FILE", requires = "owner")]
    owner_password_file: Option<PathBuf>,

    /// A folder in which backups are made by themselves; of several instances give it to one
    #[arg(long, env = "REELSHELF_BACKUP_DIR", value_name = "DIR")]
    backup_dir: Option<PathBuf>,

    /// How long after a backup the next one is made, such as 24h, 30min or 7d
    #[arg(long, env = "REELSHELF_BACKUP_EVERY", value_name = "DURATION", default_value = "24h", requires = "backup_dir", value_parser = interval)]
    backup_every: Duration,

    /// How many of these backups are kept
    #[arg(
        long,
        env = "REELSHELF_BACKUP_KEEP",
        value_name = "NUMBER",
        default_value = "7",
        requires = "backup_dir"
    )]
    backup_keep: NonZero<usize>,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let owner = match args.owner {
        None => None,
        Some(name) => {
            let password = match (args.owner_password_file, std::env::var("REELSHELF_OWNER_PASSWORD")) {
                (Some(file), _) => password::from_file(&file, &name)?,
                (None, Ok(text)) => password::check(&text, &name)?,
                (None, Err(_)) => {
                    bail!("REELSHELF_OWNER needs REELSHELF_OWNER_PASSWORD or REELSHELF_OWNER_PASSWORD_FILE")
                }
            };
            Some((name, password))
        }
    };
    let tls = args.tls_cert.zip(args.tls_key).map(|(certificates, key)| Tls { certificates, key });
    serve::run(Options {
        listen: args.listen,
        database: args.database.address()?,
        settings: Settings {
            tls: tls.is_some(),
            public_url: args.public_url,
            trusted_proxies: args.trusted_proxy,
            cors_origins: args.cors_origin,
        },
        tls,
        metrics_listen: args.metrics_listen,
        owner,
        backups: args.backup_dir.map(|folder| Schedule {
            folder,
            every: args.backup_every,
            keep: args.backup_keep.get(),
        }),
    })
    .await
}

/// A name or an address, and a port.
pub fn address(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').and_then(|(host, port)| port.parse::<u16>().ok().filter(|_| !host.is_empty()));
    port.map(|_| text.to_owned())
        .ok_or("must be an address or a name and a port, such as 0.0.0.0:8080".to_owned())
}

fn public_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|e| format!("{e}"))?;
    let web = matches!(url.scheme_str(), Some("http" | "https"));
    if web && url.authority().is_some() && matches!(url.path(), "" | "/") && url.query().is_none() {
        return Ok(url);
    }
    Err("must be http:// or https:// and a host, with no path".to_owned())
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or(address).map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

/// How long from one backup to the next: a second to a year.
fn interval(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_secs(1);
    const MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    let span: Option<Span> = text.parse().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| (LEAST..=MOST).contains(duration))
        .ok_or("must be a duration of 1 second to 366 days, such as 24h, 30min or 7d".to_owned())
}

/// An origin as browsers write it (RFC 6454): scheme and host in lower case, a port that is not the
/// scheme's own, no path.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = public_url(text)?;
    let scheme = url.scheme_str().unwrap_or_default();
    let host = url.host().unwrap_or_default().to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = url.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}"));
    let origin = format!("{scheme}://{host}{}", port.unwrap_or_default());
    HeaderValue::try_from(origin).map_err(|e| e.to_string())
}
