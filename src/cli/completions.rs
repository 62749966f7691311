//! `reelshelf completions`, and what the shell calls to complete a word.

use std::{env, io::Write};

use anyhow::Context;
use clap::Command;
use clap_complete::{CompleteEnv, Shell, env::Shells};

use super::output::Out;

/// Set by the shell when it asks what a word can become.
const VARIABLE: &str = "REELSHELF_COMPLETE";

/// For which shell.
#[derive(clap::Args)]
pub struct Args {
    shell: Shell,
}

/// Prints what the shell is to be told.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let shells = Shells::builtins();
    let shell =
        shells.completer(&args.shell.to_string()).context("there are no completions for this shell")?;
    let called = env::args_os().next().unwrap_or_default();
    // What is found by the PATH goes on to be, wherever it is installed later.
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

/// Answers the shell, where it is the shell that asks, and ends.
pub fn answer() {
    CompleteEnv::with_factory(|| without_aliases(super::command())).var(VARIABLE).complete();
}

/// The command line without the second names of commands, which would be completed in the place of the first.
fn without_aliases(command: Command) -> Command {
    let command = command.visible_alias(None::<&'static str>);
    command.mut_subcommands(without_aliases)
}
