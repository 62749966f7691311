//! `reelshelf man`

use std::{io::Write, path::PathBuf};

use anyhow::Context;
use clap::ValueHint;

use super::output::Out;

/// The target.
#[derive(clap::Args)]
pub struct Args {
    /// Write a page for each command into this folder; without it, the main page goes to standard output
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let command = super::command().disable_help_subcommand(true);
    if let Some(folder) = &args.out {
        let unwritable = || format!("man pages cannot be written to {}", folder.display());
        std::fs::create_dir_all(folder).with_context(unwritable)?;
        return clap_mangen::generate_to(command, folder).with_context(unwritable);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    let mut out = Out::new();
    out.write_all(&page)?;
    out.finish()
}
