//! `reelshelf serve`

use std::{net::IpAddr, num::NonZero, path::PathBuf, time::Duration};

use anyhow::bail;
use axum::http::{HeaderValue, Uri};
use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo};

use super::{database::Database, password};
use crate::{
    domain::{Articles, UserName},
    http::Settings,
    serve::{self, Options, Tls},
    service::backup::Schedule,
};

/// The default address, reachable only from this machine.
pub const LISTEN: &str = "127.0.0.1:8080";

/// The options of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// The address to listen on; port 0 selects a free one. Once ready, a line on standard output shows it
    #[arg(long, env = "REELSHELF_LISTEN", default_value = LISTEN, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: String,

    #[command(flatten)]
    database: Database,

    /// A certificate chain (PEM) for https; reloaded at SIGHUP
    #[arg(long, env = "REELSHELF_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, env = "REELSHELF_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The public URL of the service; with https://, cookies are Secure
    #[arg(long, env = "REELSHELF_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<Uri>,

    /// A network of trusted proxies, whose X-Forwarded-For and X-Forwarded-Proto are used; may be repeated
    #[arg(long, env = "REELSHELF_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    trusted_proxy: Vec<IpNet>,

    /// An origin whose pages may use the API with a token; may be repeated
    #[arg(long, env = "REELSHELF_CORS_ORIGIN", value_name = "URL", value_delimiter = ',', value_parser = origin)]
    cors_origin: Vec<HeaderValue>,

    /// A separate address for /metrics (Prometheus); without it there are no metrics
    #[arg(long, env = "REELSHELF_METRICS_LISTEN", value_name = "ADDRESS:PORT", value_parser = address)]
    metrics_listen: Option<String>,

    /// Articles that sorting ignores at the beginning of a title, comma-separated, such as
    /// the,a,an,le,la,les,l'; or none. Use the same on all instances
    #[arg(long, env = "REELSHELF_ARTICLES", value_name = "WORDS", default_value = "the,a,an", value_parser = Articles::parse)]
    articles: Articles,

    /// The name of the first owner, who is created if there is no user yet
    #[arg(long, env = "REELSHELF_OWNER", value_name = "NAME", value_parser = UserName::parse_new)]
    owner: Option<UserName>,

    /// A file with the first owner's password; REELSHELF_OWNER_PASSWORD can hold the password itself
    #[arg(long, env = "REELSHELF_OWNER_PASSWORD_FILE", value_name = "FILE", requires = "owner")]
    owner_password_file: Option<PathBuf>,

    /// The folder for scheduled backups; with several instances, give it to one of them
    #[arg(long, env = "REELSHELF_BACKUP_DIR", value_name = "DIR")]
    backup_dir: Option<PathBuf>,

    /// The time between backups, such as 24h, 30min or 7d
    #[arg(long, env = "REELSHELF_BACKUP_EVERY", value_name = "DURATION", default_value = "24h", requires = "backup_dir", value_parser = interval)]
    backup_every: Duration,

    /// The number of backups to keep
    #[arg(
        long,
        env = "REELSHELF_BACKUP_KEEP",
        value_name = "NUMBER",
        default_value = "7",
        requires = "backup_dir",
        value_parser = number
    )]
    backup_keep: NonZero<usize>,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    args.articles.install();
    let owner = match args.owner {
        None => None,
        Some(name) => {
            let password = match (args.owner_password_file, std::env::var("REELSHELF_OWNER_PASSWORD")) {
                (Some(file), _) => password::from_file(&file, &name)?,
                (None, Ok(text)) if !text.is_empty() => password::check(&text, &name)?,
                (None, _) => {
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

/// Parses a host name or address with a port. An empty host or `*` means all addresses of this machine.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || {
        "must be an address or a name and a port: 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 for all that reach \
         it, [::1]:8080 for IPv6"
            .to_owned()
    };
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some();
    match host {
        _ if !is_port || host.contains(['/', ' ', '@']) || host.contains(':') && !is_ipv6 => Err(wrong()),
        "" | "*" => Ok(format!("0.0.0.0:{port}")),
        _ => Ok(text.to_owned()),
    }
}

fn public_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.trim().parse().map_err(|e| format!("{e}"))?;
    let web = matches!(url.scheme_str(), Some("http" | "https"));
    if web && url.authority().is_some() && matches!(url.path(), "" | "/") && url.query().is_none() {
        return Ok(url);
    }
    Err("must be http:// or https:// and a host, with no path".to_owned())
}

/// Parses a network or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = plain.parse::<IpAddr>().map(IpNet::from).ok();
    let with_mask = || {
        let (address, mask) = text.split_once('/')?;
        IpNet::with_netmask(address.parse().ok()?, mask.parse().ok()?).ok()
    };
    let network = text.parse().ok().or(address).or_else(with_mask);
    network.ok_or_else(|| {
        format!(
            "must be an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8, got {}",
            crate::domain::quoted(text)
        )
    })
}

/// Parses the time between backups: a second to a year.
fn interval(text: &str) -> Result<Duration, String> {
    const MIN_INTERVAL: Duration = Duration::from_secs(1);
    const MAX_INTERVAL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    let span: Option<Span> = text.parse().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| (MIN_INTERVAL..=MAX_INTERVAL).contains(duration))
        .ok_or("must be a duration of 1 second to 366 days, such as 24h, 30min or 7d".to_owned())
}

/// Parses a number of backups.
fn number(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "must be a whole number from 1".to_owned())
}

/// Parses an origin as browsers write it (RFC 6454): lower-case scheme and host, no default port, no path.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = public_url(text)?;
    let scheme = url.scheme_str().unwrap_or_default();
    let host = url.host().unwrap_or_default().to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = url.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}"));
    let origin = format!("{scheme}://{host}{}", port.unwrap_or_default());
    HeaderValue::try_from(origin).map_err(|e| e.to_string())
}

#[cfg(test)]
mod addresses {
    use super::*;

    #[test]
    fn a_place_to_listen_is_read_as_people_write_it_or_told_how_to_write() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:0", "localhost:0"),
            ("[::1]:8080", "[::1]:8080"),
            (":8080", "0.0.0.0:8080"),
            ("*:8080", "0.0.0.0:8080"),
            (" 127.0.0.1:8080 ", "127.0.0.1:8080"),
        ] {
            assert_eq!(address(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "8080",
            "",
            "localhost",
            "localhost:",
            "::1:8080",
            "http://localhost:8080",
            "a:65536",
            "a:+80",
            "a b:1",
        ] {
            assert!(address(text).unwrap_err().contains("127.0.0.1:8080"), "{text}");
        }
    }

    #[test]
    fn a_network_is_read_as_people_write_it() {
        for text in ["10.0.0.0/8", " 10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.1.2.3/8"] {
            assert!(network(text).unwrap().contains(&IpAddr::from([10, 9, 8, 7])), "{text}");
        }
        assert_eq!(network("[::1]"), network("::1"));
        assert_eq!(network("127.0.0.1").unwrap().to_string(), "127.0.0.1/32");
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/8 10.1.0.0/16", "10/8"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
