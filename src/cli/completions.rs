//! `reelshelf completions`, and the dynamic completion that it sets up.

use std::{env, io::Write};

use anyhow::Context;
use clap::Command;
use clap_complete::{CompleteEnv, Shell, env::Shells};

use super::output::Out;

/// The environment variable by which a shell requests completions.
const VARIABLE: &str = "REELSHELF_COMPLETE";

/// The shell.
#[derive(clap::Args)]
pub struct Args {
    shell: Shell,
}

/// Prints the script for the shell.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let shells = Shells::builtins();
    let shell =
        shells.completer(&args.shell.to_string()).context("there are no completions for this shell")?;
    let called = env::args_os().next().unwrap_or_default();
    // A program found by PATH is called by its name, so that it may move later.
    let path = if std::path::Path::new(&called).components().count() > 1 {
        env::current_exe()?
    } else {
        called.into()
    };
    let mut out = Out::new();
    let mut registration = Vec::new();
    shell.write_registration(
        VARIABLE,
        "reelshelf",
        "reelshelf",
        &path.to_string_lossy(),
        &mut registration,
    )?;
    out.write_all(&registration)?;
    out.finish()
}

/// Answers a completion request of the shell and exits.
pub fn answer() {
    CompleteEnv::with_factory(|| without_aliases(super::command())).var(VARIABLE).complete();
}

/// Removes command aliases, which would be completed instead of the main names.
fn without_aliases(command: Command) -> Command {
    let command = command.visible_alias(None::<&'static str>);
    command.mut_subcommands(without_aliases)
}
