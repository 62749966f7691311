//! `reelshelf restore`

use std::{fs::File, path::PathBuf};

use anyhow::Context;

use super::{backup::in_words, database::Database};
use crate::{
    backup::Reader,
    cli::output::message,
    serve::ended,
    service::{Owner, backup},
};

/// The backup.
#[derive(clap::Args)]
pub struct Args {
    /// A file written by `reelshelf backup`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace existing data, after a backup of it beside FILE
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    database: Database,
}

pub async fn run(Args { file, replace, database }: Args) -> anyhow::Result<()> {
    // Checked before `open`, which may create the database.
    let opened = File::open(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    anyhow::ensure!(opened.metadata()?.is_file(), "{} cannot be read: it is no file", file.display());
    Reader::open(&opened)
        .with_context(|| format!("{} cannot be restored; nothing was changed", file.display()))?;
    let interrupted = ended()?;
    let app = database.open().await?;
    let restored = backup::restore(&app, &Owner::console(), &file, replace, interrupted).await;
    app.db.close().await;
    let restored = restored?;
    if let Some(replaced) = restored.replaced {
        message!("The replaced data is in {}.", replaced.display());
    }
    message!("Restored {} as of {}.", in_words(restored.counts), restored.created_at);
    Ok(())
}
