//! Runs the service: listening, readiness, graceful shutdown.

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context;
use axum::http::Uri;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    activity::Waits,
    admission::MaxConnections,
    server::Server,
    systemd,
    tls::{Certificate, Tls},
};
use crate::{
    db::Db,
    domain::{Password, Time, UserName},
    http::{self, Settings},
    service::{
        App,
        audit::{self, Actor, Event},
        auth::Secret,
        backup,
        backup::Schedule,
        history::events,
        load_catalogue, setup, staged_imports,
    },
};

/// The log target of the set-up URL, which is written at every level.
pub const SETUP: &str = "reelshelf::setup";

/// The assumed limit of open files if the system does not report it.
const USUAL_OPEN_FILES: u64 = 1024;

/// The options of `serve`.
#[derive(Debug)]
pub struct Options {
    /// A host name or address, and a port. Of several addresses of a name, the first free one is used. A
    /// socket from systemd takes precedence.
    pub listen: String,
    pub database: String,
    pub tls: Option<Tls>,
    pub settings: Settings,
    pub metrics_listen: Option<String>,
    /// The first owner, if there is no user yet.
    pub owner: Option<(UserName, Password)>,
    /// The schedule of automatic backups.
    pub backups: Option<Schedule>,
}

/// Runs the service until SIGTERM or SIGINT.
///
/// # Errors
/// If it cannot start: because of the database, the address or the certificate.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let given = systemd::given()?;
    let max = MaxConnections::of(open_files(), &options.settings.trusted_proxies);
    // Invalid options are reported before the database is changed.
    let is_shared = given.is_some() || systemd::keeps();
    let certificate = options.tls.clone().map(Certificate::load).transpose()?;
    let listener = systemd::listen(given, &options.listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    http::check_spool()?;
    options.backups.as_ref().map(Schedule::check).transpose()?;
    let db = Db::open_to_serve(&options.database).await?;
    let app = Arc::new(App::new(db.clone(), Arc::new(Time::now)));
    app.audit_migrations(&Actor::service());
    if let Some((name, password)) = &options.owner
        && setup::needed(&app).await?
    {
        setup::first_owner(&app, &Actor::service(), name, password.clone()).await?;
    }
    if let Some(address) = &options.metrics_listen {
        serve_metrics(address, max.clone(), app.clone()).await?;
    }

    staged_imports::recover_staged_imports(&app).await?;
    let mut background = JoinSet::new();
    background.spawn(events::follow(app.clone()));
    background.spawn(audit::keep(app.clone()));
    let settings = in_words(&options, address);
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let base = options.settings.public_url.as_ref().map_or_else(
        || format!("{scheme}://{}", here(address)),
        |url| url.to_string().trim_end_matches('/').to_owned(),
    );
    let router = http::router(app.clone(), options.settings);
    let listener = TcpListener::from_std(listener)?;
    let setup_code = setup::begin(&app).await?;
    app.audit(&Actor::service(), &Event::ServiceStarted { settings: &settings });
    // Installed before the readiness message, since its reader may send a signal at once.
    let ended = ended()?;
    background.spawn(become_ready(app.clone(), format!("{scheme}://{address}"), base, setup_code));

    let (end_backups, backups_ended) = watch::channel(false);
    let backups = options.backups.map(|schedule| backup::keep(app.clone(), schedule, backups_ended));
    let backups = tokio::spawn(async { futures_util::future::OptionFuture::from(backups).await });
    let ending = app.clone();
    let end = async move {
        ended.await;
        events::end(&ending);
        end_backups.send_replace(true);
        tracing::info!("stopping: no new connections, finishing running requests");
        if let Err(error) = systemd::notify_stopping() {
            tracing::warn!(%error, "systemd could not be notified of the stop");
        }
    };
    let (waits, intake) = (Waits::default(), app.intake.clone());
    let server = Server { listener, router, certificate, waits, max, is_shared, intake };
    tokio::spawn(server.run(end)).await??;
    backups.await?;
    background.shutdown().await;
    app.audit_end();
    db.close().await;
    tracing::info!("ended");
    Ok(())
}

/// Raises the limit of open files, since each connection is one. Returns the limit.
fn open_files() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the number of open files stays limited");
        rlimit::Resource::NOFILE.get_soft().unwrap_or(USUAL_OPEN_FILES)
    })
}

/// Loads the catalogue and reports that the service is ready. While there is no user, also offers the set-up page
/// below `base`.
async fn become_ready(app: Arc<App>, listening: String, base: String, setup_code: Option<Secret>) {
    load_catalogue(app.clone()).await;
    tell_ready(&listening);
    // The last lines at a terminal, where they are seen.
    if let Some(code) = setup_code {
        offer_setup(&base, &code);
        setup::renew(&app, tokio::time::sleep, |code| offer_setup(&base, code)).await;
    }
}

/// Reports that the service is ready, and its URL.
fn tell_ready(base: &str) {
    let mut out = std::io::stdout();
    if let Err(error) = writeln!(out, "listening on {base}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output cannot be written; the service listens on {base}");
    }
    if let Err(error) = systemd::notify_ready() {
        tracing::warn!(%error, "systemd could not be notified that the service is ready");
    }
}

/// Formats the security settings, without secrets.
fn in_words(options: &Options, listen: SocketAddr) -> String {
    let Settings { tls, public_url, trusted_proxies, cors_origins } = &options.settings;
    // A URL may have a user name and a password, which are left out.
    let authority = |url: &Uri| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", url.scheme_str().unwrap_or_default(), url.host().unwrap_or_default())
    };
    let database = if options.database.starts_with("sqlite:") { &options.database } else { "postgres" };
    let list = |of: Vec<String>| if of.is_empty() { "none".to_owned() } else { of.join(" ") };
    [
        format!("listen {listen}"),
        format!("tls {}", if *tls { "yes" } else { "no" }),
        format!("database {database}"),
        format!("public_url {}", public_url.as_ref().map_or("none".to_owned(), authority)),
        format!("trusted_proxies {}", list(trusted_proxies.iter().map(ToString::to_string).collect())),
        format!(
            "cors_origins {}",
            list(cors_origins.iter().map(|o| String::from_utf8_lossy(o.as_bytes()).into_owned()).collect())
        ),
        format!("metrics_listen {}", options.metrics_listen.as_deref().unwrap_or("none")),
        format!("backups {}", if options.backups.is_some() { "yes" } else { "no" }),
    ]
    .join(", ")
}

/// Returns the address of a listener for clients on the same machine.
pub(crate) fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn serve_metrics(address: &str, max: MaxConnections, app: Arc<App>) -> anyhow::Result<()> {
    let router = http::metrics_routes(http::start_metrics()?, app);
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics");
    let waits = Waits::default();
    let intake = Arc::default(); // separate: each listener can fail alone
    let server = Server { listener, router, certificate: None, waits, max, is_shared: false, intake };
    tokio::spawn(server.run(std::future::pending()));
    Ok(())
}

/// Installs the signal handlers. The returned future completes on the first signal.
pub(crate) fn ended() -> std::io::Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Prints the URL to create the first owner. The code is in the fragment, which browsers do not send and
/// proxies do not log.
fn offer_setup(base: &str, code: &Secret) {
    use std::io::{IsTerminal, Write};

    let code = code.reveal();
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        // Someone who starts it by hand looks for a URL rather than a log line.
        let lines = format!(
            "\nThere is no user yet. Open this address to create the first owner:\n\n    {base}/setup#code={code}\n\nIt is valid for an hour.\n\n"
        );
        if terminal.write_all(lines.as_bytes()).is_ok() {
            return;
        }
    }
    tracing::warn!(target: SETUP, "there is no user yet; create the first owner at {base}/setup#code={code}");
}
