//! The command line: what can be asked for, and one file for each command.

mod database;
mod history;
mod migrate;
mod password;
mod serve;
mod token;
mod user;

use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::{EnvFilter, filter::Directive};

use database::Database;

/// A service for a collection of films: HTTP API, command line and web pages.
#[derive(Parser)]
#[command(
    name = "reelshelf",
    version,
    about,
    long_about = "A service for a collection of films: HTTP API, command line and web pages over one set of \
        operations.\n\nStart it with `reelshelf serve`. With no user in the database it prints, on standard \
        error, a one-time address where the first owner is made. Every option can also be given as an \
        environment variable, named beside it.",
    after_long_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log is written, to standard error; RUST_LOG says how much of it (such as `debug`)
    #[arg(long, global = true, env = "REELSHELF_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
}

const EXAMPLES: &str = "\
Examples:
  Serve a collection in one file, to this machine alone:
    reelshelf serve --database sqlite:films.db

  Add a user who may change films, and a token for a script:
    reelshelf user add olivia --role editor
    reelshelf token create olivia backup-script --role viewer

  Use PostgreSQL, behind a proxy that speaks https:
    REELSHELF_DATABASE='postgres://reelshelf@db.example/reelshelf?sslmode=verify-full' \\
    reelshelf serve --public-url https://films.example --trusted-proxy 10.0.0.0/8

Exit status:
  0  done
  1  refused or failed; standard error says why
  2  wrong usage";

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the collection over HTTP
    Serve(Box<serve::Args>),
    /// Manage users, on the database itself
    User(user::Args),
    /// Manage API tokens, on the database itself
    Token(token::Args),
    /// Manage the history of the collection, on the database itself
    History(history::Args),
    /// Bring the database's schema up to date, and do nothing else
    Migrate(Database),
}

/// Runs what the command line asks for.
///
/// # Errors
/// Whatever keeps the command from being done, in words for the person who gave it.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    start_log(cli.log_format);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // Each thread of the blocking pool may hold a connection to the database.
    let runtime = runtime.max_blocking_threads(32).enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::User(args) => user::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::History(args) => history::run(args).await,
            Command::Migrate(database) => migrate::run(database).await,
        }
    })
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let setup = Directive::from_str(&format!("{}=warn", crate::serve::SETUP));
    let filter = setup.into_iter().fold(filter, EnvFilter::add_directive);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
}
