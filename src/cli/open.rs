//! `reelshelf open`

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use super::client::{Connection, filters::word, selection::Selection, titles};
use crate::cli::output::{Out, message};
use clap_complete::engine::ArgValueCompleter;

/// The page.
#[derive(clap::Args)]
pub struct Args {
    /// The film to open: words of its title, or its id; without it, the collection
    #[arg(value_name = "QUERY", value_parser = word, add = ArgValueCompleter::new(titles::complete))]
    film: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Prints the URL and starts the browser.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let path = if args.film.is_empty() {
        "/".to_owned()
    } else {
        format!("/film/{}", Selection::of(args.film).one(&client).await?.id)
    };
    let address = client.server.address(&path, &[]).to_string();
    let mut out = Out::new();
    writeln!(out, "{address}")?;
    out.finish()?;
    if !starts(&address) {
        message!("No browser could be started; open this address yourself.");
    }
    Ok(())
}

/// Starts the browser of $BROWSER or the desktop. Returns whether it started.
fn starts(address: &str) -> bool {
    let chosen = env::var("BROWSER").ok().filter(|names| !names.trim().is_empty());
    let commands: Vec<Vec<String>> = match chosen {
        Some(names) => names.split(':').map(words).collect(),
        None if cfg!(target_os = "macos") => vec![words("open")],
        None if cfg!(windows) => vec![words("rundll32 url.dll,FileProtocolHandler")],
        None => vec![words("xdg-open")],
    };
    commands.iter().any(|command| {
        let Some((program, arguments)) = command.split_first() else { return false };
        let done = Command::new(program).args(arguments).arg(address).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
