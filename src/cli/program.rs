//! The definition of the command line.

use std::{env, io::IsTerminal, process::ExitCode};

use clap::{
    Arg, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use tokio::runtime;

use super::{
    add, backup, check, client, completions,
    database::Database,
    edit, export, health, history, import, list,
    log::{self, LogFormat},
    login, logout, man, migrate, open,
    output::{self, message},
    pick, restore, rm, serve, session, show, stats, token, undo, user, whoami,
};
use crate::db::Db;

/// A film collection: web pages, HTTP API and command line.
#[derive(Parser)]
#[command(
    name = "reelshelf",
    version,
    about,
    long_about = "A collection of films: web pages, HTTP API and command line in one program.\n\n\
        `reelshelf serve` starts the service. If the database has no user, it prints the address where you \
        create the first owner. `reelshelf login` signs in to a service; then the commands for films use it. \
        Many options can also be set by the environment variable that is named beside them.",
    after_help = "`reelshelf help` shows examples.",
    after_long_help = EXAMPLES,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The format of the log on standard error; RUST_LOG sets its level (such as `debug`)
    #[arg(long, global = true, env = "REELSHELF_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
}

const EXAMPLES: &str = "\
Examples:
  Sign in to a server, and add a film (prompts for missing values):
    reelshelf login https://films.example
    reelshelf add Heat --year 1995

  Find films, and change or delete them:
    reelshelf list matrix --format DVD --rating 4.. --sort -rating,title
    reelshelf edit alien 3 --rating 5
    reelshelf rm 7 8
    reelshelf undo

  A film for tonight:
    reelshelf pick --max-length 2h --format DVD

  Import and export a collection:
    reelshelf import --dry-run ratings.csv
    reelshelf export films.csv

  Serve a collection in one file, for this machine only:
    reelshelf serve --database sqlite:films.db

  Add a user who may change films, and a token for a script:
    reelshelf user add olivia --role editor
    reelshelf token create olivia backup-script --role viewer

  Make a backup while the service runs, and move it to PostgreSQL:
    reelshelf backup films.backup
    reelshelf restore films.backup --database 'postgres://reelshelf@db.example/reelshelf'

  Use PostgreSQL, behind a proxy that speaks https:
    REELSHELF_DATABASE='postgres://reelshelf@db.example/reelshelf?sslmode=verify-full' \\
    reelshelf serve --public-url https://films.example --trusted-proxy 10.0.0.0/8

Exit status:
  0  done
  1  failed; standard error has the reason
  2  wrong usage";

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Films(Films),
    #[command(flatten)]
    Access(Access),
    #[command(flatten)]
    Service(Service),
}

/// Commands that work on films of a server.
#[derive(Subcommand)]
enum Films {
    /// Add a film; prompts for missing values
    #[command(alias = "new")]
    Add(Box<add::Args>),
    /// List films, all or those of a query
    #[command(visible_alias = "ls")]
    List(Box<list::Args>),
    /// Search titles
    #[command(visible_alias = "find")]
    Search(Box<list::Args>),
    /// Show films
    #[command(alias = "view")]
    Show(show::Args),
    /// Change films; prompts if no change is given
    #[command(alias = "change")]
    Edit(Box<edit::Args>),
    /// Delete films
    #[command(visible_alias = "delete", aliases = ["remove", "del"])]
    Rm(rm::Args),
    /// Pick a film for tonight at random
    #[command(alias = "random")]
    Pick(Box<pick::Args>),
    /// Count films by format, rating and decade
    Stats(Box<stats::Args>),
    /// Import films from a file
    Import(Box<import::Args>),
    /// Export films to a file
    Export(Box<export::Args>),
    /// List changes: who did what, and when
    History(Box<history::Args>),
    /// Undo a change
    Undo(undo::Args),
    /// Open the collection or a film in the browser
    Open(open::Args),
}

/// Commands for login and the shell.
#[derive(Subcommand)]
enum Access {
    /// Sign in to a server, and store a token for it
    #[command(alias = "signin")]
    Login(login::Args),
    /// Revoke the stored token and remove it
    #[command(alias = "signout")]
    Logout(logout::Args),
    /// Show the server and the user of this login
    #[command(visible_alias = "status")]
    Whoami(whoami::Args),
    /// Print the completion script of a shell: commands, options and titles
    Completions(completions::Args),
    /// Print or write the manual pages
    Man(man::Args),
}

/// Commands that run the service, or work on its database itself.
#[derive(Subcommand)]
enum Service {
    /// Serve the collection over HTTP
    Serve(Box<serve::Args>),
    /// Check whether the service on this machine is ready
    Health(health::Args),
    /// Manage users, on the database or on a server
    #[command(alias = "users")]
    User(user::Args),
    /// Manage API tokens, on the database or on a server
    #[command(alias = "tokens")]
    Token(token::Args),
    /// List and end sessions, on the database or on a server
    #[command(alias = "sessions")]
    Session(session::Args),
    /// Back up the collection, its history, users and tokens
    Backup(backup::Args),
    /// Restore a backup
    Restore(restore::Args),
    /// Compare the films, their history and the catalogue
    Check(Database),
    /// Bring the schema of the database up to date
    Migrate(Database),
}

/// Runs the command line, or a completion request of the shell. Returns the exit status.
#[must_use]
pub fn main() -> ExitCode {
    completions::answer();
    let parsed = without_empty_variables(command())
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let done = parsed.map_err(|error| with_whole_argument(error).into()).and_then(run);
    log::finish();
    done.map_or_else(|error| ended_by(&error), |()| ExitCode::SUCCESS)
}

/// Reports an error. Returns the exit status.
fn ended_by(error: &anyhow::Error) -> ExitCode {
    if output::is_closed(error) {
        return ExitCode::SUCCESS; // the reader has closed the pipe
    }
    if let Some(usage) = error.downcast_ref::<clap::Error>() {
        return match usage.print() {
            Err(unwritten) if !usage.use_stderr() => ended_by(&output::unwritten(unwritten).into()),
            _ => ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(1)),
        };
    }
    message!("reelshelf: {error:#}");
    if error.is::<client::Interrupted>() { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
}

/// The exit status after Ctrl-C, as shells use it.
const INTERRUPTED: u8 = 130;

/// Names a value such as `-30-` in whole, of which clap names only `-3`, and says how to pass it.
fn with_whole_argument(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(part)) = error.get(ContextKind::InvalidArg)
        && !part.starts_with("--")
        && error.get(ContextKind::Suggested).is_some()
        && let Some(whole) = env::args().find(|argument| argument.starts_with(part.as_str()))
    {
        let tip = format!("to pass '{whole}' as a value, put it at the end, behind '--': -- {whole}");
        error.insert(ContextKind::InvalidArg, ContextValue::String(whole));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// A usage error that clap cannot detect.
pub fn wrong_usage(message: &str) -> anyhow::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{message}\n")).into()
}

/// Treats empty environment variables as unset, since compose files set variables without a value to the
/// empty string.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| if is_empty(&arg) { arg.env(None::<&str>) } else { arg });
    command.mut_subcommands(without_empty_variables)
}

/// Builds the command line, with its commands in groups.
#[must_use]
pub fn command() -> clap::Command {
    let none = clap::Command::new("none");
    let films = Films::augment_subcommands(none.clone());
    let access = Access::augment_subcommands(none.clone());
    let service = Service::augment_subcommands(none);
    let groups =
        [("Films, on a server", &films), ("Access", &access), ("The service and its database", &service)];
    let mut command = Cli::command();
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let in_help = |command: &clap::Command| {
        let about = command.get_about().cloned().unwrap_or_default();
        let names: Vec<&str> =
            std::iter::once(command.get_name()).chain(command.get_visible_aliases()).collect();
        format!("  {literal}{:<16}{literal:#}{about}\n", names.join(", "))
    };
    let groups = groups.map(|(heading, group)| {
        let commands = group.get_subcommands().map(in_help).collect::<Vec<_>>().concat();
        format!("{header}{heading}:{header:#}\n{commands}\n")
    });
    let help = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{header}Options:{header:#}\n{{options}}{{after-help}}",
        groups.concat()
    );
    // The log options belong to `serve`.
    let log_format = command.get_arguments().find(|option| option.get_id() == "log_format").cloned();
    if let Some(log_format) = log_format {
        for client in films.get_subcommands().chain(access.get_subcommands()) {
            let hidden = log_format.clone().hide(true);
            command = command.mut_subcommand(client.get_name(), |client| client.arg(hidden));
        }
    }
    // Commands that manage a server take its options, at the level of their subcommands, too.
    for name in ["user", "token", "session"] {
        let is_server = |arg: &Arg| arg.get_id() == "server" || arg.get_id() == "token";
        command = command.mut_subcommand(name, |command| {
            command.mut_args(|arg| if is_server(&arg) { arg.global(true) } else { arg })
        });
    }
    let command =
        command.mut_subcommand("search", |search| search.mut_arg("query", |words| words.required(true)));
    command.help_template(help)
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let prunes = matches!(&cli.command, Command::Films(Films::History(args)) if args.command.is_some());
    if prunes || matches!(cli.command, Command::Service(_)) {
        // Other commands report on the terminal what they did; their audit log would go nowhere.
        let serves = matches!(cli.command, Command::Service(Service::Serve(_)));
        log::start(cli.log_format, serves || !std::io::stderr().is_terminal())?;
    }
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.worker_threads(Db::runtime_threads());
    // Each blocking thread may hold a database connection.
    let runtime = runtime.max_blocking_threads(32).enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Films(films) => films.run().await,
            Command::Access(Access::Login(args)) => login::run(args).await,
            Command::Access(Access::Logout(args)) => logout::run(args).await,
            Command::Access(Access::Whoami(args)) => whoami::run(args).await,
            Command::Access(Access::Completions(args)) => completions::run(&args),
            Command::Access(Access::Man(args)) => man::run(&args),
            Command::Service(Service::Serve(args)) => serve::run(*args).await,
            Command::Service(Service::Health(args)) => health::run(args).await,
            Command::Service(Service::User(args)) => user::run(args).await,
            Command::Service(Service::Token(args)) => token::run(args).await,
            Command::Service(Service::Session(args)) => session::run(args).await,
            Command::Service(Service::Backup(args)) => backup::run(args).await,
            Command::Service(Service::Restore(args)) => restore::run(args).await,
            Command::Service(Service::Check(database)) => check::run(database).await,
            Command::Service(Service::Migrate(database)) => migrate::run(database).await,
        }
    })
}

impl Films {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(args) => add::run(*args).await,
            Self::List(args) | Self::Search(args) => list::run(*args).await,
            Self::Show(args) => show::run(args).await,
            Self::Edit(args) => edit::run(*args).await,
            Self::Rm(args) => rm::run(args).await,
            Self::Pick(args) => pick::run(*args).await,
            Self::Stats(args) => stats::run(*args).await,
            Self::Import(args) => import::run(*args).await,
            Self::Export(args) => export::run(*args).await,
            Self::History(args) => history::run(*args).await,
            Self::Undo(args) => undo::run(args).await,
            Self::Open(args) => open::run(args).await,
        }
    }
}
