//! The address of a PostgreSQL database: libpq's parameters and their defaults.

use std::{collections::HashSet, net::IpAddr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts},
};

use super::tls::{Check, Trust};
use crate::{db::DbError, limits::DATABASE_CONNECT_WAIT};

/// How long sent data may stay unacknowledged before the connection is closed.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be idle before the kernel sends a keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(3);
/// The time between keepalive probes, and the number of unanswered probes before the connection is closed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEPALIVE_RETRIES: u32 = 3;

/// A parsed address.
pub(super) struct Address {
    /// All parameters except the hosts.
    pub(super) settings: Config,
    pub(super) hosts: Vec<HostAndPort>,
    pub(super) trust: Trust,
}

/// One host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostAndPort {
    /// A host name, an IP address or the directory of a Unix socket. The certificate is verified for this
    /// name.
    pub(super) host: Option<Host>,
    /// The IP address, if the address gives it (`hostaddr`).
    pub(super) ip: Option<IpAddr>,
    pub(super) port: u16,
}

impl Address {
    /// Parses an address, `postgres://…`.
    ///
    /// # Errors
    /// [`DbError::Refused`] if it is malformed or has an unsupported parameter.
    pub(super) fn parse(address: &str) -> Result<Self, DbError> {
        let Parameters { address, trust, tcp_user_timeout, names } = Parameters::split(address)?;
        // The driver's error may repeat the address with its password, so it is replaced.
        let mut config: Config = address.parse().map_err(|_| what_is_wrong(&address))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(DATABASE_CONNECT_WAIT);
        }
        let timeout = tcp_user_timeout.unwrap_or(TCP_USER_TIMEOUT);
        if !timeout.is_zero() {
            config.tcp_user_timeout(timeout);
        }
        if !names.contains("keepalives_idle") {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        if !names.contains("keepalives_interval") {
            config.keepalives_interval(KEEPALIVE_INTERVAL);
        }
        if !names.contains("keepalives_retries") {
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        if config.get_application_name().is_none() {
            config.application_name("reelshelf");
        }
        let hosts = hosts(&config)?;
        Ok(Self { settings: without_hosts(&config), hosts, trust })
    }

    /// Returns whether the hosts are tried in random order.
    pub(super) fn is_shuffled(&self) -> bool {
        self.settings.get_load_balance_hosts() == LoadBalanceHosts::Random
    }
}

impl HostAndPort {
    /// Returns the host and port for messages, or the folder of a socket.
    pub(super) fn name(&self) -> String {
        match (&self.host, self.ip) {
            (Some(Host::Tcp(name)), _) => format!("{name}:{}", self.port),
            #[cfg(unix)]
            (Some(Host::Unix(folder)), _) => folder.display().to_string(),
            (None, Some(ip)) => format!("{ip}:{}", self.port),
            (None, None) => self.port.to_string(),
        }
    }
}

/// Explains why the driver cannot parse an address, without values, since these may be secret.
fn what_is_wrong(address: &str) -> DbError {
    let (_, query) = address.split_once('?').unwrap_or((address, ""));
    let reads = |address: &str| address.parse::<Config>().is_ok();
    let Some(wrong) =
        query.split('&').find(|pair| !pair.is_empty() && !reads(&format!("postgres://h/d?{pair}")))
    else {
        return malformed();
    };
    let name = wrong.split('=').next().unwrap_or_default();
    DbError::Refused(format!("the address of the PostgreSQL database has a {name} that cannot be read"))
}

fn malformed() -> DbError {
    DbError::Refused(
        "the address of the PostgreSQL database is malformed: write postgres://USER:PASSWORD@HOST:PORT/NAME, with % \
         encoding (such as %40 for @) in the parts"
            .to_owned(),
    )
}

fn hosts(config: &Config) -> Result<Vec<HostAndPort>, DbError> {
    let (hosts, ips, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(ips.len());
    let fits = |given: usize| given <= 1 || given == count;
    if count == 0 || (!hosts.is_empty() && !ips.is_empty() && hosts.len() != ips.len()) || !fits(ports.len())
    {
        return Err(malformed());
    }
    let host = |n: usize| HostAndPort {
        host: hosts.get(n).cloned(),
        ip: ips.get(n).copied(),
        port: ports.get(n).or(ports.first()).copied().unwrap_or(5432),
    };
    Ok((0..count).map(host).collect())
}

fn without_hosts(config: &Config) -> Config {
    let mut rest = Config::new();
    if let Some(user) = config.get_user() {
        rest.user(user);
    }
    if let Some(password) = config.get_password() {
        rest.password(password);
    }
    if let Some(name) = config.get_dbname() {
        rest.dbname(name);
    }
    if let Some(options) = config.get_options() {
        rest.options(options);
    }
    if let Some(name) = config.get_application_name() {
        rest.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        rest.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        rest.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        rest.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        rest.keepalives_retries(retries);
    }
    rest.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    rest
}

/// The driver's address, and the parameters that the driver does not know or parses differently from libpq.
struct Parameters {
    address: String,
    trust: Trust,
    /// The value if given; zero is the system's default.
    tcp_user_timeout: Option<Duration>,
    /// The names of the parameters given.
    names: HashSet<String>,
}

/// The supported parameters.
const PARAMETERS: [&str; 22] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Rejects an unsupported parameter by name, with the alternative if there is one.
fn check_parameter(name: &str, value: &str) -> Result<(), DbError> {
    let way = match (name, value) {
        ("sslmode", "allow") => {
            "sslmode=allow is not supported; prefer, require, verify-ca and verify-full are"
        }
        ("gssencmode", "require") => "gssencmode=require is not supported; encrypt with sslmode=require",
        ("target_session_attrs", "standby" | "prefer-standby") => {
            "target_session_attrs must be any, read-write, primary or read-only: the service writes"
        }
        ("sslcert" | "sslkey", _) => {
            return Err(DbError::Refused(format!("{name} is not supported: sign in with a password")));
        }
        ("schema" | "search_path" | "currentSchema", _) => {
            "a schema is chosen with options=-csearch_path%3DNAME, not with a parameter of its own"
        }
        ("pgbouncer", _) => "pgbouncer is not a PostgreSQL parameter; a session pooler needs none",
        ("ssl", _) => "ssl is no parameter of PostgreSQL; sslmode=require is",
        (name, _) if PARAMETERS.contains(&name) => return Ok(()),
        (name, _) => {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            return Err(DbError::Refused(format!(
                "the address of the PostgreSQL database has the parameter {shown}, which is not supported"
            )));
        }
    };
    Err(DbError::Refused(way.to_owned()))
}

impl Parameters {
    fn split(address: &str) -> Result<Self, DbError> {
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let mut trust = Trust { check: Check::Nothing, root_certificates: None };
        let mut tcp_user_timeout = None;
        let mut names = HashSet::new();
        let mut kept = form_urlencoded::Serializer::new(String::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // As in libpq, a + is a plus.
            let pair = pair.replace('+', "%2B");
            let Some((key, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { continue };
            check_parameter(&key, &value)?;
            match (&*key, &*value) {
                ("gssencmode", _) => {} // GSSAPI encryption is optional and not supported
                ("target_session_attrs", "primary") => {
                    kept.append_pair("target_session_attrs", "read-write");
                }
                ("sslrootcert", "system") => trust.check = Check::AuthorityAndHost,
                ("sslrootcert", path) => {
                    trust.root_certificates = Some(path.into());
                    trust.check = match trust.check {
                        Check::Nothing => Check::Authority,
                        check => check,
                    };
                }
                ("sslmode", mode @ ("verify-ca" | "verify-full")) => {
                    trust.check =
                        if mode == "verify-ca" { Check::Authority } else { Check::AuthorityAndHost };
                    kept.append_pair("sslmode", "require");
                }
                ("tcp_user_timeout", millis) => {
                    let millis: u64 =
                        millis.parse().map_err(|_| what_is_wrong("postgres://h/d?tcp_user_timeout=x"))?;
                    tcp_user_timeout = Some(Duration::from_millis(millis));
                }
                ("keepalives_count", count) => {
                    kept.append_pair("keepalives_retries", count);
                    names.insert("keepalives_retries".to_owned());
                }
                _ => {
                    kept.append_pair(&key, &value);
                    names.insert(key.into_owned());
                }
            }
        }
        // The driver decodes %20 as a space, but not +.
        let kept = kept.finish().replace('+', "%20");
        let address = if kept.is_empty() { base.to_owned() } else { format!("{base}?{kept}") };
        Ok(Self { address, trust, tcp_user_timeout, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_and_sslrootcert_mean_what_they_mean_to_libpq() {
        let check = |address| Parameters::split(address).unwrap().trust.check;
        assert_eq!(check("postgres://h/d"), Check::Nothing);
        assert_eq!(check("postgres://h/d?sslmode=require"), Check::Nothing);
        assert_eq!(check("postgres://h/d?sslmode=require&sslrootcert=/ca.pem"), Check::Authority);
        assert_eq!(check("postgres://h/d?sslrootcert=/ca.pem&sslmode=verify-full"), Check::AuthorityAndHost);
        assert_eq!(check("postgres://h/d?sslrootcert=system"), Check::AuthorityAndHost);
        let Parameters { address, trust, .. } = Parameters::split(
            "postgres://u:p%40@a,b:5433/d?sslmode=verify-ca&options=-c%20x&sslrootcert=/ca.pem",
        )
        .unwrap();
        assert_eq!(address, "postgres://u:p%40@a,b:5433/d?sslmode=require&options=-c%20x");
        assert_eq!(trust.check, Check::Authority);
        assert_eq!(trust.root_certificates, Some("/ca.pem".into()));
    }

    #[test]
    fn a_dead_host_is_noticed_in_seconds_unless_the_address_says_otherwise() {
        let of = |address| Address::parse(address).unwrap().settings;
        let plain = of("postgres://h/d");
        assert_eq!(plain.get_connect_timeout(), Some(&Duration::from_secs(2)));
        assert_eq!(plain.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
        assert_eq!(plain.get_keepalives_idle(), Duration::from_secs(3));
        assert_eq!(plain.get_keepalives_interval(), Some(Duration::from_secs(1)));
        assert_eq!(plain.get_keepalives_retries(), Some(3));
        let given = of("postgres://h/d?connect_timeout=7&tcp_user_timeout=1500&keepalives_idle=60\
             &keepalives_interval=10&keepalives_count=9");
        assert_eq!(given.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(
            given.get_tcp_user_timeout(),
            Some(&Duration::from_millis(1500)),
            "libpq has milliseconds"
        );
        assert_eq!(given.get_keepalives_idle(), Duration::from_secs(60));
        assert_eq!(given.get_keepalives_interval(), Some(Duration::from_secs(10)));
        assert_eq!(given.get_keepalives_retries(), Some(9));
        assert_eq!(of("postgres://h/d?tcp_user_timeout=0").get_tcp_user_timeout(), None);
    }

    #[test]
    fn an_address_may_name_several_hosts() {
        let hosts = |address| Address::parse(address).map(|address| address.hosts);
        let host = |name: &str, port| HostAndPort { host: Some(Host::Tcp(name.to_owned())), ip: None, port };
        assert_eq!(hosts("postgres://a,b:5433/d").unwrap(), [host("a", 5432), host("b", 5433)]);
        let with_ip = HostAndPort { ip: Some([10, 0, 0, 1].into()), ..host("a", 5432) };
        assert_eq!(hosts("postgres://a/d?hostaddr=10.0.0.1").unwrap(), [with_ip]);
        assert!(hosts("postgres:///d").is_err(), "no host");
        let parsed = Address::parse("postgres://u:p%40@a,b/d?target_session_attrs=read-write").unwrap();
        assert!(parsed.settings.get_hosts().is_empty());
        assert_eq!(parsed.settings.get_user(), Some("u"));
        assert_eq!(parsed.settings.get_password(), Some(&b"p@"[..]));
        assert_eq!(parsed.settings.get_dbname(), Some("d"));
    }

    #[test]
    fn a_plus_is_a_plus() {
        let parsed = Address::parse("postgres://h/d?user=a+b&password=abc+def%20g&options=-c+x").unwrap();
        assert_eq!(parsed.settings.get_user(), Some("a+b"));
        assert_eq!(parsed.settings.get_password(), Some(&b"abc+def g"[..]));
        assert_eq!(parsed.settings.get_options(), Some("-c+x"));
        let trust = Address::parse("postgres://h/d?sslrootcert=/c++/ca.pem").unwrap().trust;
        assert_eq!(trust.root_certificates, Some("/c++/ca.pem".into()));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let refusal = |query: &str| {
            let error = Address::parse(&format!("postgres://u:s3cret@h/d?{query}")).err();
            error.map(|error| error.to_string())
        };
        for query in [
            "target_session_attrs=primary",
            "gssencmode=disable",
            "gssencmode=prefer",
            "sslmode=prefer",
            "",
            "&",
        ] {
            assert_eq!(refusal(query), None, "{query}");
        }
        for (query, named) in [
            ("sslmode=allow", "sslmode=allow"),
            ("sslmode=s3cret", "sslmode"),
            ("pgbouncer=true", "pgbouncer"),
            ("schema=films", "search_path"),
            ("connect_timeout=s3cret", "connect_timeout"),
            ("tcp_user_timeout=s3cret", "tcp_user_timeout"),
            ("target_session_attrs=prefer-standby", "target_session_attrs"),
            ("application_name=x&colour=s3cret", "the parameter colour"),
            ("gssencmode=require", "gssencmode"),
        ] {
            let refusal = refusal(query).expect(query);
            assert!(refusal.contains(named) && !refusal.contains("s3cret"), "{query}: {refusal}");
        }
    }

    #[test]
    fn a_malformed_address_does_not_give_away_the_password() {
        for address in ["postgres://u:s3cret@h:port/d", "postgres://u:s3cret@h/d?tcp_user_timeout=soon"] {
            let error = Address::parse(address).err().unwrap();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
